// What only a real connection shows: flushing, disconnects, redirects of unclean paths, and closing.
import http from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../../src/config/index.js';
import { createLogger } from '../../src/log/index.js';
import { startServer, type RunningServer } from '../../src/server/index.js';
import { FakeRunnerPool } from '../doubles/fake-runner-pool.js';
import { buildModelGguf } from '../fixtures/build-gguf.js';
import { createStore, digestOf } from './server-fixture.js';

let folder: string;
let pool: FakeRunnerPool;
let server: RunningServer;
let logged: string[];

async function start(port: number, graceMs = 50): Promise<RunningServer> {
  const logger = createLogger({ level: 'info', destination: { write: (text) => logged.push(text) } });
  const config = loadConfig({ HOME: folder, OLLAMA_HOST: `127.0.0.1:${port}` });
  return startServer(config, { store: await createStore(folder), pool, logger, graceMs });
}

const post = (url: string, body: unknown, signal?: AbortSignal): Promise<Response> =>
  fetch(`${server.url}${url}`, { method: 'POST', body: JSON.stringify(body), ...(signal !== undefined && { signal }) });

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tars-socket-'));
  pool = new FakeRunnerPool();
  logged = [];
  server = await start(0);
  const weights = buildModelGguf();
  const digest = digestOf(weights);
  expect((await fetch(`${server.url}/api/blobs/${digest}`, { method: 'POST', body: weights })).status).toBe(201);
  expect((await post('/api/create', { model: 'm', files: { 'm.gguf': digest }, stream: false })).status).toBe(200);
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('streaming', () => {
  it('sends each line at once, before the next one exists', async () => {
    pool.hangAfterPieces = 1;
    const controller = new AbortController();
    const reply = await post('/api/generate', { model: 'm', prompt: '<<0123456789>>' }, controller.signal);
    expect(reply.headers.get('transfer-encoding')).toBe('chunked');
    const first = await reply.body?.getReader().read();
    expect(new TextDecoder().decode(first?.value as Uint8Array | undefined)).toMatch(/^\{.*"response":"0123","done":false\}\n$/);
    controller.abort();
    await vi.waitFor(() => expect(pool.calls).toEqual(['acquire m:latest', 'generate', 'abort', 'release']));
    expect(pool.numHeld).toBe(0);
  });

  it('frees the model when a client leaves a reply that is not streamed', async () => {
    pool.hangAfterPieces = 1;
    const controller = new AbortController();
    const reply = post('/api/chat', { model: 'm', messages: [{ role: 'user', content: 'x' }], stream: false }, controller.signal);
    await vi.waitFor(() => expect(pool.calls).toContain('generate'));
    controller.abort();
    await expect(reply).rejects.toThrow();
    await vi.waitFor(() => expect(pool.calls).toEqual(['acquire m:latest', 'generate', 'abort', 'release']));
  });

  it('cuts off a client that leaves megabytes unread, and frees the model', async () => {
    const text = 'x'.repeat(1_000_000);
    const request = http.request(`${server.url}/api/generate`, { method: 'POST' });
    const response = new Promise<http.IncomingMessage>((resolve) => request.once('response', resolve));
    request.end(JSON.stringify({ model: 'm', raw: true, prompt: `<<${text}>>` }));
    const reply = await response;
    reply.pause();
    await vi.waitFor(() => expect(pool.calls).toContain('release'), { timeout: 10_000, interval: 20 });
    let numBytes = 0;
    reply.on('data', (chunk: Buffer) => (numBytes += chunk.length));
    reply.resume();
    await expect(finished(reply)).rejects.toThrow();
    // A quarter of a million lines of about 80 bytes would have come.
    expect(numBytes).toBeLessThan(16 * 2 ** 20);
  });
});

describe('paths', () => {
  it.each(['/api/./version', '/api/x/../version', '//api//version'])(
    'cleans %s before the host is looked at',
    async (unclean) => {
      const { port } = new URL(server.url);
      const reply = await new Promise<http.IncomingMessage>((resolve) => {
        http.get({ host: '127.0.0.1', port, path: unclean, headers: { host: 'evil.example' } }, resolve);
      });
      reply.resume();
      expect([reply.statusCode, reply.headers.location]).toEqual([307, '/api/version']);
    },
  );
});

describe('closing', () => {
  it('logs where it listens and refuses an address that is taken', async () => {
    const { port } = new URL(server.url);
    expect(logged.join('')).toContain(`Listening on 127.0.0.1:${port} (version `);
    await expect(start(Number(port))).rejects.toThrow(`listen tcp 127.0.0.1:${port}: bind: address already in use`);
  });

  it('ends streams with an error line after the grace period, then the pool', async () => {
    pool.hangAfterPieces = 1;
    const reply = await post('/api/generate', { model: 'm', prompt: '<<0123456789>>' });
    const text = reply.text();
    await Promise.all([server.close(), server.close()]);
    const received = (await text).trimEnd().split('\n');
    expect(JSON.parse(received.at(-1) ?? '')).toEqual({ error: 'server is shutting down' });
    expect(pool.calls.slice(-3)).toEqual(['abort', 'release', 'close']);
    await expect(fetch(server.url)).rejects.toThrow();
  });
});
