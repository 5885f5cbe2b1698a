// A server of this repository in a process of its own, with a store that holds only the bench's model.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, linkSync, mkdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const port = 11_777;

export class BenchServer {
  #process;
  #url = `http://127.0.0.1:${port}`;

  static async start({ modelFile, cacheFolder, numThreads }) {
    const server = new BenchServer();
    const models = path.join(cacheFolder, 'models');
    server.#process = spawn(process.execPath, [cli, 'serve'], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        OLLAMA_HOST: `127.0.0.1:${port}`,
        OLLAMA_MODELS: models,
        TARS_CACHE_DIR: cacheFolder,
        TARS_NUM_THREADS: String(numThreads),
      },
    });
    await server.#untilReady();
    await server.#import(modelFile, models);
    await server.#post('/api/generate', { model: 'bench', prompt: '', keep_alive: -1 });
    return server;
  }

  async stop() {
    this.#process.kill('SIGINT');
    await new Promise((resolve) => this.#process.once('exit', resolve));
  }

  /** Milliseconds between streamed tokens as a client sees them. */
  async msPerToken(promptTokens, decodeTokens) {
    const ids = Array.from({ length: promptTokens }, () => 'abcdefghij'[Math.floor(Math.random() * 10)]);
    const arrivals = await this.#stream(ids.join(' '), decodeTokens);
    return (arrivals.last - arrivals.first) / (arrivals.tokens - 1);
  }

  /** Round trips of `GET /`, one every 25 ms, while `count` streams run. */
  async pingWhileBusy(count) {
    let isBusy = true;
    const streams = Promise.all(Array.from({ length: count }, (_, index) => this.#stream(`stream ${index}`, 64)));
    void streams.finally(() => (isBusy = false));
    const times = [];
    while (isBusy) {
      const start = performance.now();
      await (await fetch(this.#url)).text();
      times.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    await streams;
    return times;
  }

  async #stream(prompt, decodeTokens) {
    const arrivals = { first: 0, last: 0, tokens: 0 };
    const body = JSON.stringify({ model: 'bench', prompt, raw: true, options: { num_predict: decodeTokens + 1, seed: 1 } });
    // A bare socket: whatever a client computes, it takes from the cores that are measured.
    const socket = net.connect(port, '127.0.0.1');
    socket.write(
      `POST /api/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    let tail = '';
    for await (const chunk of socket) {
      const now = performance.now();
      arrivals.first ||= now;
      // The last piece holds no token, only the figures.
      if (chunk.includes('"done":true')) {
        tail = String(chunk);
      } else {
        arrivals.last = now;
      }
    }
    arrivals.tokens = Number(/"eval_count":(\d+)/.exec(tail)?.[1]);
    if (!(arrivals.tokens > 1)) {
      throw new Error(`the stream ended without figures: ${tail}`);
    }
    return arrivals;
  }

  /** Puts the model into the store by a hard link: copying 830 MB over HTTP is not what is measured. */
  async #import(modelFile, models) {
    const digest = await sha256(modelFile);
    const blob = path.join(models, 'blobs', `sha256-${digest}`);
    mkdirSync(path.dirname(blob), { recursive: true });
    if (!existsSync(blob)) {
      linkSync(modelFile, blob);
    }
    await this.#post('/api/create', { model: 'bench', files: { 'model.gguf': `sha256:${digest}` }, stream: false });
  }

  async #post(route, body) {
    const response = await fetch(this.#url + route, { method: 'POST', body: JSON.stringify({ stream: false, ...body }) });
    if (!response.ok) {
      throw new Error(`${route}: ${response.status} ${await response.text()}`);
    }
    return response.json();
  }

  async #untilReady() {
    for (let attempt = 0; attempt < 100; attempt++) {
      try {
        await fetch(this.#url);
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    throw new Error('the server did not start');
  }
}

async function sha256(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) {
    hash.update(chunk);
  }
  return hash.digest('hex');
}
