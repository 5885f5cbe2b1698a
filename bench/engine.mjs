// What each layer adds to a decode step: bare session runs, the engine's loop, the server's HTTP stream; and what batching
// gives. Same model, same process start, alternating rounds, medians.
import { existsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { loadModel } from '../dist/runners/engine-process/load-model.js';
import { KvCache } from '../dist/engine/kv-cache.js';
import { Environment, IoBinding } from '../dist/runtime/index.js';
import {
  createSession,
  engineMsPerToken,
  engineSettings,
  openPackage,
  packageFile,
  prefillSeconds,
  sessionCreationMs,
} from './engine-runs.mjs';
import { alternate, median, percentile, spread } from './rounds.mjs';
import { BenchServer } from './server-process.mjs';

// Short rounds, many of them: figures of neighbouring seconds can be compared, others cannot.
const decode = { promptTokens: 16, decodeTokens: 12 };
const rounds = 81;
const batchRounds = 5;
const prefillRounds = 3;

export async function benchEngine({ modelFile, cacheFolder, numThreads }) {
  const settings = engineSettings({ modelFile, cacheFolder, numThreads });
  const packStart = performance.now();
  const isPacked = existsSync(packageFile(settings));
  const loaded = await loadModel(settings, { onProgress: () => undefined, onStep: () => undefined });
  const rows = [];
  if (!isPacked) {
    rows.push(['first load, package written', `${seconds(performance.now() - packStart)} s`]);
  }
  rows.push(['session creation, package in page cache', `${seconds(await sessionCreationMs(settings, batchRounds))} s`]);

  const bare = await BareLoop.open(settings);
  const server = await BenchServer.start({ modelFile, cacheFolder, numThreads });
  try {
    const single = await alternate(rounds, {
      bare: () => Promise.resolve(bare.msPerToken()),
      engine: () => engineMsPerToken(loaded, 1, decode),
      server: () => server.msPerToken(decode.promptTokens, decode.decodeTokens),
    });
    const bareMs = median(single.bare);
    const engineMs = median(single.engine);
    const overBare = single.engine.map((ms, round) => ms / single.bare[round] - 1);
    const overEngine = single.server.map((ms, round) => ms - single.engine[round]);
    rows.push(['bare session runs, 1 sequence', `${bareMs.toFixed(2)} ms a token (${perSecond(bareMs)} tok/s)`]);
    rows.push([
      'engine, 1 sequence',
      `${engineMs.toFixed(2)} ms a token, ${percent(median(overBare))} ± ${percent(spread(overBare))} over bare runs`,
    ]);
    rows.push([
      'server, 1 stream over HTTP',
      `${median(single.server).toFixed(2)} ms a token, ${median(overEngine).toFixed(2)} ± ${spread(overEngine).toFixed(2)} ms over the engine`,
    ]);
    const batched = await alternate(batchRounds, {
      one: () => engineMsPerToken(loaded, 1, decode),
      eight: () => engineMsPerToken(loaded, 8, decode),
      sixteen: () => engineMsPerToken(loaded, 16, decode),
    });
    for (const [count, name] of [
      [8, 'eight'],
      [16, 'sixteen'],
    ]) {
      const ratio = median(batched.one.map((ms, round) => ms / batched[name][round]));
      rows.push([`engine, ${count} sequences`, `${perSecond(median(batched[name]))} tok/s, ${ratio.toFixed(2)} × one sequence`]);
    }
    rows.push(['prefill, 512 tokens', `${(512 / median(await prefillTimes(loaded, 512))).toFixed(0)} tok/s`]);
    const pings = await server.pingWhileBusy(8);
    rows.push([
      'GET / while 8 streams run',
      `p50 ${median(pings).toFixed(1)} ms, p99 ${percentile(pings, 0.99).toFixed(1)} ms of ${pings.length}`,
    ]);
  } finally {
    bare[Symbol.dispose]();
    await server.stop();
    await loaded[Symbol.asyncDispose]();
  }
  return rows;
}

/** Session runs with fixed bindings and nothing else: one token a step, the position counted up in the input buffer. */
class BareLoop {
  static async open(settings) {
    const loop = new BareLoop();
    const tarsPackage = openPackage(settings);
    const { numLayers, numKvHeads, headSize, vocabSize } = tarsPackage.metadata.hyperParameters;
    const blockSize = 32;
    loop.environment = new Environment();
    loop.session = await createSession(loop.environment, tarsPackage, settings);
    loop.cache = new KvCache(loop.environment, { numLayers, numBlocks: 8, blockSize, numKvHeads, headSize, type: 'float16' });
    loop.binding = new IoBinding(loop.session);
    loop.owned = [];
    const bind = (name, type, shape, values) => {
      const memory = loop.environment.allocate(values.byteLength);
      const view = new values.constructor(memory.view(), 0, values.length);
      view.set(values);
      const tensor = loop.environment.tensor(type, shape, memory.address);
      loop.binding.bindInput(name, tensor);
      loop.owned.push(tensor, memory);
      return view;
    };
    bind('input_ids', 'int64', [1], BigInt64Array.of(17n));
    bind('cumulative_sequence_length', 'int32', [2], Int32Array.of(0, 1));
    loop.past = bind('past_seqlens', 'int32', [1], Int32Array.of(0));
    bind(
      'block_table',
      'int32',
      [1, 8],
      Int32Array.from({ length: 8 }, (_, block) => block),
    );
    bind('attention_metadata', 'int32', [2], Int32Array.of(1, 256));
    bind('logits_index', 'int64', [1], BigInt64Array.of(0n));
    loop.cache.tensors.forEach(({ name, tensor }) => loop.binding.bindInput(name, tensor));
    const logits = loop.environment.allocate(vocabSize * 4);
    const output = loop.environment.tensor('float32', [1, vocabSize], logits.address);
    loop.binding.bindOutput('logits', output);
    loop.owned.push(output, logits);
    return loop;
  }

  msPerToken() {
    const start = performance.now();
    for (let step = 0; step < decode.decodeTokens; step++) {
      this.past[0] = decode.promptTokens + step;
      this.session.run(this.binding);
    }
    return (performance.now() - start) / decode.decodeTokens;
  }

  [Symbol.dispose]() {
    this.binding[Symbol.dispose]();
    this.owned.forEach((resource) => resource[Symbol.dispose]());
    this.cache[Symbol.dispose]();
    this.session[Symbol.dispose]();
    this.environment[Symbol.dispose]();
  }
}

const seconds = (ms) => (ms / 1000).toFixed(2);
const perSecond = (ms) => (1000 / ms).toFixed(1);
const percent = (share) => `${(share * 100).toFixed(1)} %`;

async function prefillTimes(loaded, count) {
  const times = [];
  for (let round = 0; round < prefillRounds; round++) {
    times.push(await prefillSeconds(loaded, count));
  }
  return times;
}
