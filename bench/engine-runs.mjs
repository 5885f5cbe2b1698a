// What the benches do with the engine: its settings, session creation, a short decode, a prompt.
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { packagePath } from '../dist/runners/package-store.js';
import { readPackage } from '../dist/formats/index.js';
import { buildDecoder } from '../dist/graph/index.js';
import { Environment, Session, findOperatorLibrary } from '../dist/runtime/index.js';
import { defaultSamplingOptions } from '../dist/sampling/index.js';
import { median } from './rounds.mjs';

/** Settings of an engine over a file of random-model.mjs. */
export function engineSettings({ modelFile, cacheFolder, numThreads }) {
  return {
    weightsPath: modelFile,
    // A name instead of a digest: the bench's files never change under their names.
    weightsDigest: `sha256:${path.basename(modelFile, '.gguf')}`,
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
}

export function packageFile({ packageFolder, weightsDigest, recipe }) {
  return packagePath(packageFolder, weightsDigest, recipe);
}

export function openPackage(settings) {
  return readPackage(packageFile(settings));
}

/** `config`: further session config entries. */
export function createSession(environment, tarsPackage, settings, config = {}) {
  const graph = buildDecoder(tarsPackage, {
    contextLength: settings.contextLength,
    cacheType: settings.cacheType,
    blockSize: 32,
  });
  return Session.create(environment, graph, {
    numThreads: settings.numThreads,
    operatorLibraries: [findOperatorLibrary(process.env.TARS_NATIVE_LIBRARY)],
    config: { 'session.model_external_initializers_file_folder_path': '/', ...config },
  });
}

/** Median time from a package in the page cache to a session. */
export async function sessionCreationMs(settings, rounds) {
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const tarsPackage = openPackage(settings);
    const environment = new Environment();
    const session = await createSession(environment, tarsPackage, settings);
    times.push(performance.now() - start);
    session[Symbol.dispose]();
    environment[Symbol.dispose]();
  }
  return median(times);
}

/** Milliseconds a generated token over `count` sequences decoding together, prompts not counted. */
export async function engineMsPerToken({ engine }, count, { promptTokens, decodeTokens }) {
  let started = 0;
  let start = 0;
  let numTokens = 0;
  let end = 0;
  let left = count;
  await new Promise((resolve, reject) => {
    for (let index = 0; index < count; index++) {
      engine.submit({
        promptIds: randomIds(promptTokens),
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

/** Seconds from the submission of a prompt of `count` tokens to its first token. */
export async function prefillSeconds({ engine }, count) {
  const start = performance.now();
  await new Promise((resolve, reject) =>
    engine.submit({
      promptIds: randomIds(count),
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
  return (performance.now() - start) / 1000;
}

/** Different in every call, so that the prefix cache does not take part. */
export function randomIds(count) {
  return Array.from({ length: count }, () => 1 + Math.floor(Math.random() * 40_000));
}
