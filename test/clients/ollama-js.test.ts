// The official client against the HTTP server over a pool whose answers are a formula of the prompt.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../src/config/index.js';
import { createLogger } from '../../src/log/index.js';
import { startServer } from '../../src/server/index.js';
import { FakeRunnerPool } from '../doubles/fake-runner-pool.js';
import { buildModelGguf } from '../fixtures/build-gguf.js';
import { createStore, digestOf, jinjaTemplate } from '../synthetic/server-fixture.js';
import { describeOllamaClient, type ClientTarget } from './describe-ollama-client.js';

async function startFakeServer(): Promise<ClientTarget> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tars-client-'));
  const pool = new FakeRunnerPool({ answer: (prompt) => (prompt.includes('long time') ? '1 2 3 '.repeat(5000) : 'Hello, you!') });
  const server = await startServer(loadConfig({ HOME: folder, OLLAMA_HOST: '127.0.0.1:0' }), {
    store: await createStore(folder),
    pool,
    logger: createLogger({ level: 'silent' }),
    graceMs: 50,
  });
  const weights = buildModelGguf({ metadata: { 'tokenizer.chat_template': jinjaTemplate } });
  const digest = digestOf(weights);
  const url = server.url;
  await fetch(`${url}/api/blobs/${digest}`, { method: 'POST', body: weights });
  await fetch(`${url}/api/create`, {
    method: 'POST',
    body: JSON.stringify({ model: 'talker', files: { 'model.gguf': digest }, stream: false }),
  });
  const close = async (): Promise<void> => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { url, model: 'talker:latest', weights, digest, hasThinkingAndTools: true, close };
}

describeOllamaClient('ollama npm client, fake engine', startFakeServer);
