// What each layer adds to a decode step: bare session runs, the engine's loop, the server's HTTP stream; and what batching
// gives. Same model, same process start, alternating rounds, medians.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { loadModel } from '../dist/runners/engine-process/load-model.js';
import { packagePath } from '../dist/runners/package-store.js';
import { readPackage } from '../dist/formats/index.js';
import { KvCache } from '../dist/engine/kv-cache.js';
import { buildDecoder } from '../dist/graph/index.js';
import { Environment, IoBinding, Session, findOperatorLibrary } from '../dist/runtime/index.js';
import { defaultSamplingOptions } from '../dist/sampling/index.js';
import { median, percentile, spread } from './environment.mjs';
import { BenchServer } from './server-process.mjs';

const promptTokens = 16;
// Short rounds, many of them: figures of neighbouring seconds can be compared, others cannot.
const decodeTokens = 12;
const rounds = 81;
const batchRounds = 5;

export async function benchEngine({ modelFile, cacheFolder, numThreads }) {
  const settings = {
    weightsPath: modelFile,
    weightsDigest: 'sha256:random-llama-1.2b-q4_0',
    packageFolder: path.join(cacheFolder, 'packages'),
    recipe: 'exact',
    contextLength: 4096,
    stepTokens: 512,
    maxSequences: 32,
    cacheContexts: 4,
    cacheType: 'float16',
    maxCacheBytes: 4 * 2 ** 30,
    numThreads,
  };
  const packStart = performance.now();
  const isPacked = existsSync(packagePath(settings.packageFolder, settings.weightsDigest, 'exact'));
  const loaded = await loadModel(settings, { onProgress: () => undefined, onStep: () => undefined });
  const rows = [];
  if (!isPacked) {
    rows.push(['first load, package written', `${seconds(performance.now() - packStart)} s`]);
  }
  rows.push(['session creation, package in page cache', `${seconds(await sessionCreation(settings))} s`]);

  const bare = await BareLoop.open(settings);
  const server = await BenchServer.start({ modelFile, cacheFolder, numThreads });
  try {
    const single = await alternate(rounds, {
      bare: () => Promise.resolve(bare.msPerToken()),
      engine: () => engineMsPerToken(loaded, 1),
      server: () => server.msPerToken(promptTokens, decodeTokens),
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
      one: () => engineMsPerToken(loaded, 1),
      eight: () => engineMsPerToken(loaded, 8),
      sixteen: () => engineMsPerToken(loaded, 16),
    });
    for (const [count, name] of [
      [8, 'eight'],
      [16, 'sixteen'],
    ]) {
      const ratio = median(batched.one.map((ms, round) => ms / batched[name][round]));
      rows.push([`engine, ${count} sequences`, `${perSecond(median(batched[name]))} tok/s, ${ratio.toFixed(2)} × one sequence`]);
    }
    rows.push(['prefill, 512 tokens', `${(512 / (await prefillSeconds(loaded, 512))).toFixed(0)} tok/s`]);
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

/**
 * Runs every measurement once a round, forwards and backwards in turn, and returns the rounds' figures by name. The memory
 * bandwidth of a shared host drifts by the minute: figures of one round may be compared with each other, others not.
 */
async function alternate(count, measurements) {
  const names = Object.keys(measurements);
  const figures = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -1; round < count; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const figure = await measurements[name]();
      // The first round warms caches and is not counted.
      if (round >= 0) {
        figures[name].push(figure);
      }
    }
  }
  return figures;
}

/** Session runs with fixed bindings and nothing else: one token a step, the position counted up in the input buffer. */
class BareLoop {
  static async open(settings) {
    const loop = new BareLoop();
    const tarsPackage = readPackage(packagePath(settings.packageFolder, settings.weightsDigest, 'exact'));
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
    for (let step = 0; step < decodeTokens; step++) {
      this.past[0] = promptTokens + step;
      this.session.run(this.binding);
    }
    return (performance.now() - start) / decodeTokens;
  }

  [Symbol.dispose]() {
    this.binding[Symbol.dispose]();
    this.owned.forEach((resource) => resource[Symbol.dispose]());
    this.cache[Symbol.dispose]();
    this.session[Symbol.dispose]();
    this.environment[Symbol.dispose]();
  }
}

function createSession(environment, tarsPackage, settings) {
  const graph = buildDecoder(tarsPackage, { contextLength: settings.contextLength, cacheType: 'float16', blockSize: 32 });
  return Session.create(environment, graph, {
    numThreads: settings.numThreads,
    operatorLibraries: [findOperatorLibrary(process.env.TARS_NATIVE_LIBRARY)],
    config: { 'session.model_external_initializers_file_folder_path': '/' },
  });
}

async function sessionCreation(settings) {
  const times = [];
  for (let round = 0; round < batchRounds; round++) {
    const start = performance.now();
    const tarsPackage = readPackage(packagePath(settings.packageFolder, settings.weightsDigest, 'exact'));
    const environment = new Environment();
    const session = await createSession(environment, tarsPackage, settings);
    times.push(performance.now() - start);
    session[Symbol.dispose]();
    environment[Symbol.dispose]();
  }
  return median(times);
}

/** Milliseconds a generated token over `count` sequences decoding together, prompts not counted. */
async function engineMsPerToken({ engine }, count) {
  let started = 0;
  let start = 0;
  let numTokens = 0;
  let end = 0;
  let left = count;
  await new Promise((resolve, reject) => {
    for (let index = 0; index < count; index++) {
      engine.submit({
        // Different prompts, so that the prefix cache does not take part.
        promptIds: Array.from({ length: promptTokens }, () => 1 + Math.floor(Math.random() * 40_000)),
        sampling: { ...defaultSamplingOptions, seed: 1 },
        endIds: new Set(),
        maxTokens: decodeTokens + 1,
        numKeep: 0,
        shift: false,
        onToken: () => {
          if (started < count) {
            started += 1;
            start = performance.now();
            numTokens = 0;
          } else {
            numTokens += 1;
            end = performance.now();
          }
          return false;
        },
        onFinish: () => (--left === 0 ? resolve() : undefined),
        onError: reject,
      });
    }
  });
  return (end - start) / numTokens;
}

async function prefillSeconds({ engine }, count) {
  const times = [];
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    await new Promise((resolve, reject) =>
      engine.submit({
        promptIds: Array.from({ length: count }, () => 1 + Math.floor(Math.random() * 40_000)),
        sampling: { ...defaultSamplingOptions, temperature: 0 },
        endIds: new Set(),
        maxTokens: 1,
        numKeep: 0,
        shift: false,
        onToken: () => false,
        onFinish: resolve,
        onError: reject,
      }),
    );
    times.push((performance.now() - start) / 1000);
  }
  return median(times);
}

const seconds = (ms) => (ms / 1000).toFixed(2);
const perSecond = (ms) => (1000 / ms).toFixed(1);
const percent = (share) => `${(share * 100).toFixed(1)} %`;
