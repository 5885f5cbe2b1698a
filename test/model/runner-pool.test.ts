// The runner pool with real engine processes over a tiny model: loading, sharing, expiry, eviction, and engines that die.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/index.js';
import { createLogger } from '../../src/log/index.js';
import {
  createRunnerPool,
  type GenerationEvent,
  type GenerationRequest,
  type RunnableModel,
  type RunnerPool,
  type RunnerLease,
  type TokenLogprob,
} from '../../src/runners/index.js';
import { defaultSamplingOptions } from '../../src/sampling/index.js';

const truth = path.resolve(import.meta.dirname, '..', 'fixtures', 'truth');
const folder = mkdtempSync(path.join(os.tmpdir(), 'tars-pool-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
const pools: RunnerPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

function createPool(environment: Readonly<Record<string, string>> = {}): RunnerPool {
  const config = loadConfig({ HOME: folder, TARS_CACHE_DIR: path.join(folder, 'cache'), ...environment });
  const pool = createRunnerPool({ config, logger: createLogger({ level: 'silent' }) });
  pools.push(pool);
  return pool;
}

function model(name: string): RunnableModel {
  return {
    displayName: `${name}:latest`,
    digest: name,
    weightsPath: path.join(truth, `${name}.gguf`),
    weightsDigest: `sha256:${name}`,
  };
}

function request(overrides: Partial<GenerationRequest> = {}): GenerationRequest {
  return {
    prompt: [9, 41, 33],
    sampling: { ...defaultSamplingOptions, temperature: 0 },
    stop: [],
    numPredict: 12,
    numKeep: 0,
    shift: true,
    truncate: true,
    ...overrides,
  };
}

async function collect(
  lease: RunnerLease,
  generation: GenerationRequest,
): Promise<{ text: string; done: GenerationEvent | undefined }> {
  let text = '';
  let done: GenerationEvent | undefined;
  await lease.generate(generation, never, (event) => {
    if (event.kind === 'text') {
      text += event.text;
    } else {
      done = event;
    }
  });
  return { text, done };
}

/** Process ids of this process's children that run the engine's entry. */
function enginePids(): number[] {
  const listed = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  return listed.split('\n').flatMap((line) => (line.includes('engine-process') ? [Number.parseInt(line, 10)] : []));
}

async function until(condition: () => boolean, timeoutMs = 5000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition() && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(condition()).toBe(true);
}

describe('RunnerPool', () => {
  it('loads a model once for requests that arrive together, and answers each of them', async () => {
    const pool = createPool();
    const leases = await Promise.all([1, 2, 3].map(() => pool.acquire(model('llama'), {}, undefined, never)));
    expect(enginePids()).toHaveLength(1);
    const [first, ...others] = await Promise.all(leases.map((lease) => collect(lease, request())));
    expect(first?.done).toMatchObject({ reason: 'length', stats: { promptTokens: 3, generatedTokens: 12 } });
    others.forEach(({ text }) => expect(text).toBe(first?.text));
    leases.forEach((lease) => lease.release());
  });

  it('tokenises, detokenises, and takes text as well as ids', async () => {
    const lease = await createPool().acquire(model('llama'), {}, undefined, never);
    const ids = await lease.tokenize('abc', false);
    expect(await lease.detokenize(ids)).toBe('abc');
    const fromText = await collect(lease, request({ prompt: 'abc' }));
    const fromIds = await collect(lease, request({ prompt: ids }));
    expect(fromText.text).toBe(fromIds.text);
    lease.release();
  });

  it('stops before a stop string, whole and streamed alike', async () => {
    const lease = await createPool().acquire(model('llama'), {}, undefined, never);
    const { text } = await collect(lease, request({ numPredict: 40 }));
    const stop = text.slice(10, 13);
    const stopped = await collect(lease, request({ numPredict: 40, stop: [stop] }));
    expect(stopped.text).toBe(text.slice(0, text.indexOf(stop)));
    expect(stopped.done).toMatchObject({ reason: 'stop' });
    lease.release();
  });

  it('reports log-probabilities that are sorted and belong to their tokens', async () => {
    const lease = await createPool().acquire(model('llama'), {}, undefined, never);
    const logprobs: TokenLogprob[] = [];
    await lease.generate(request({ topLogprobs: 3 }), never, (event) => {
      logprobs.push(...(event.kind === 'text' ? (event.logprobs ?? []) : []));
    });
    expect(logprobs).toHaveLength(12);
    for (const { token, logprob, bytes, top } of logprobs) {
      expect(logprob).toBeLessThanOrEqual(0);
      expect(Buffer.from(bytes).toString()).toBe(token);
      expect(top?.[0]?.logprob).toBeCloseTo(logprob, 6);
      expect(top?.map((entry) => entry.logprob)).toEqual([...(top ?? [])].map((entry) => entry.logprob).sort((a, b) => b - a));
    }
    lease.release();
  });

  it('expires after its keep-alive, at once at zero, and by unload', async () => {
    const pool = createPool();
    (await pool.acquire(model('llama'), {}, 150, never)).release();
    expect(pool.list()).toHaveLength(1);
    await until(() => pool.list().length === 0 && enginePids().length === 0);
    (await pool.acquire(model('llama'), {}, 0, never)).release();
    expect(pool.list()).toHaveLength(0);
    const lease = await pool.acquire(model('llama'), {}, Infinity, never);
    expect(pool.list()[0]?.expiresAtMs).toBe(Infinity);
    pool.unload(model('llama'));
    expect(pool.list()).toHaveLength(1);
    lease.release();
    expect(pool.list()).toHaveLength(0);
    await until(() => enginePids().length === 0);
  });

  it('reloads when the context length changes and evicts when no place is left', async () => {
    const pool = createPool({ OLLAMA_MAX_LOADED_MODELS: '2' });
    const small = await pool.acquire(model('llama'), { numCtx: 32 }, undefined, never);
    expect(small.contextLength).toBe(32);
    small.release();
    const large = await pool.acquire(model('llama'), { numCtx: 64 }, undefined, never);
    expect(large.contextLength).toBe(64);
    large.release();
    expect(enginePids()).toHaveLength(1);
    (await pool.acquire(model('qwen2'), {}, Infinity, never)).release();
    (await pool.acquire(model('qwen3'), {}, Infinity, never)).release();
    expect(
      pool
        .list()
        .map(({ model: loaded }) => loaded.digest)
        .sort(),
    ).toEqual(['qwen2', 'qwen3']);
  });

  it('gives every stream one error when the engine is killed, and loads again by itself', async () => {
    const pool = createPool();
    const lease = await pool.acquire(model('llama'), {}, undefined, never);
    const streams = Array.from({ length: 8 }, () => collect(lease, request({ numPredict: 1000 })));
    const settled = Promise.allSettled(streams);
    const [pid] = enginePids();
    process.kill(pid ?? 0, 'SIGKILL');
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'RUNNER_STOPPED' } });
    }
    lease.release();
    const again = await pool.acquire(model('llama'), {}, undefined, never);
    expect((await collect(again, request())).done).toBeDefined();
    again.release();
  });

  it('ends a generation whose signal aborts, and lets others go on', async () => {
    const lease = await createPool().acquire(model('llama'), {}, undefined, never);
    const controller = new AbortController();
    let events = 0;
    const aborted = lease.generate(request({ numPredict: 5000 }), controller.signal, () => {
      events += 1;
      if (events === 3) {
        controller.abort();
      }
    });
    const other = collect(lease, request({ numPredict: 50 }));
    await expect(aborted).rejects.toMatchObject({ code: 'REQUEST_CANCELED' });
    expect((await other).done).toMatchObject({ stats: { generatedTokens: 50 } });
    expect(events).toBe(3);
    lease.release();
  });

  it('cuts or refuses a prompt that is longer than the context', async () => {
    const lease = await createPool().acquire(model('llama'), { numCtx: 32 }, undefined, never);
    const prompt = Array.from({ length: 100 }, (_, index) => index % 60);
    const cut = await collect(lease, request({ prompt, numPredict: 4 }));
    expect(cut.done).toMatchObject({ stats: { promptTokens: 16 } });
    const refused = collect(lease, request({ prompt, shift: false }));
    await expect(refused).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG' });
    lease.release();
  });

  it('reloads for a request with another context while others come and go, and breaks none of them', async () => {
    const pool = createPool();
    const answer = async (numCtx: number): Promise<unknown> => {
      const lease = await pool.acquire(model('llama'), { numCtx }, undefined, never);
      try {
        return (await collect(lease, request({ numPredict: 60 }))).done;
      } finally {
        lease.release();
      }
    };
    const answers = await Promise.all([64, 64, 100, 64, 100, 64].map(answer));
    answers.forEach((done) => expect(done).toMatchObject({ kind: 'done' }));
    const overlapping = Promise.all([answer(64), answer(64).then(() => answer(64)), answer(100)]);
    await expect(overlapping).resolves.toHaveLength(3);
  });

  it('gives up at once on a signal that is aborted already, and keeps nothing', async () => {
    const pool = createPool();
    const loading = pool.acquire(model('llama'), {}, undefined, never);
    await expect(pool.acquire(model('llama'), {}, undefined, AbortSignal.abort())).rejects.toMatchObject({
      code: 'REQUEST_CANCELED',
    });
    (await loading).release();
    pool.unload(model('llama'));
    await until(() => enginePids().length === 0);
  });

  it('keeps within bounds what a request asks of threads and step size', async () => {
    const pool = createPool();
    const lease = await pool.acquire(model('llama'), { numThread: 20_000, numBatch: 1e9 }, undefined, never);
    expect((await collect(lease, request())).done).toBeDefined();
    lease.release();
    const [pid] = enginePids();
    (await pool.acquire(model('llama'), { numThread: 20_000, numBatch: 1e9 }, undefined, never)).release();
    expect(enginePids()).toEqual([pid]);
  });

  it('writes control tokens out when it detokenises', async () => {
    const lease = await createPool().acquire(model('llama'), {}, undefined, never);
    const ids = [0, 63, 1, 62, 2];
    const text = await lease.detokenize(ids);
    expect(text).toBe('a<|im_end|>b<|endoftext|>c');
    expect(await lease.tokenize(text, false)).toEqual(ids);
    lease.release();
  });

  it('says why a model cannot be loaded, leaves no process behind, and serves others', async () => {
    const pool = createPool();
    const file = path.join(folder, 'broken.gguf');
    writeFileSync(file, 'GGUF but not for long');
    const broken = { ...model('llama'), weightsPath: file, weightsDigest: 'sha256:broken' };
    await expect(pool.acquire(broken, {}, undefined, never)).rejects.toThrow(/broken\.gguf/);
    await until(() => enginePids().length === 0);
    copyFileSync(path.join(truth, 'llama.gguf'), file);
    (await pool.acquire({ ...broken, weightsDigest: 'sha256:mended' }, {}, undefined, never)).release();
  });

  it('makes a damaged package anew, and deletes packages with the weights', async () => {
    const pool = createPool();
    const packages = path.join(folder, 'cache', 'packages');
    const packageOf = (name: string): string | undefined => readdirSync(packages).find((file) => file.startsWith(`${name}-`));
    (await pool.acquire(model('qwen2'), {}, 0, never)).release();
    const file = path.join(packages, packageOf('qwen2') ?? '');
    truncateSync(file, 100);
    const lease = await pool.acquire(model('qwen2'), {}, 0, never);
    expect((await collect(lease, request())).done).toBeDefined();
    lease.release();
    pool.forget(model('qwen2'));
    expect(packageOf('qwen2')).toBeUndefined();
  });

  it('refuses when the queue is full and cancels a wait', async () => {
    const pool = createPool({ OLLAMA_MAX_QUEUE: '1' });
    const controller = new AbortController();
    const waiting = pool.acquire(model('llama'), {}, undefined, controller.signal);
    await expect(pool.acquire(model('qwen2'), {}, undefined, never)).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'REQUEST_CANCELED' });
  });
});
