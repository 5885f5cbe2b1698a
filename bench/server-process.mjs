// A server of this repository in a process of its own, with a store that holds only the bench's model.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, linkSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

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
    // A server that has just started still compiles its own code while it streams.
    await server.msPerToken(16, 512);
    return server;
  }

  async stop() {
    this.#process.kill('SIGINT');
    await new Promise((resolve) => this.#process.once('exit', resolve));
  }

  /**
   * Milliseconds a streamed token as a client sees them: how much longer a long answer takes than a short one. curl reads the
   * stream, because a client written in JavaScript takes as much of the cores that are measured as the server does.
   */
  async msPerToken(promptTokens, decodeTokens) {
    const shortTokens = 2;
    const short = await this.#curlMs(promptTokens, shortTokens);
    const long = await this.#curlMs(promptTokens, shortTokens + decodeTokens);
    return (long - short) / decodeTokens;
  }

  async #curlMs(promptTokens, numPredict) {
    const prompt = Array.from({ length: promptTokens }, () => 'abcdefghij'[Math.floor(Math.random() * 10)]).join(' ');
    const body = JSON.stringify({ model: 'bench', prompt, raw: true, options: { num_predict: numPredict, seed: 1 } });
    const args = ['-sN', '-o', '/dev/null', '-w', '%{time_total}', '-d', body, `${this.#url}/api/generate`];
    const { stdout } = await promisify(execFile)('curl', args);
    return Number(stdout) * 1000;
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

  async #stream(prompt, numPredict) {
    const body = JSON.stringify({ model: 'bench', prompt, raw: true, options: { num_predict: numPredict, seed: 1 } });
    await (await fetch(`${this.#url}/api/generate`, { method: 'POST', body })).text();
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
