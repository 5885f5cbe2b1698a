// An engine process as the server starts it: writes a model's package, and tells how much memory it takes.
import { readFileSync } from 'node:fs';
import { kvBytesPerToken } from '../dist/engine/index.js';
import { EngineConnection } from '../dist/runners/engine-connection.js';
import { defaultSamplingOptions } from '../dist/sampling/index.js';
import { openPackage, randomIds } from './engine-runs.mjs';

// Eight sequences of 120 tokens fill a context of 1024 (in cache blocks of 32) and run prompt steps of full size.
const contextLength = 1024;
const numSequences = 8;
const promptTokens = 112;
const decodeTokens = 8;

/** Writes the package unless it is there. */
export async function preparePackage(settings) {
  const connection = connect();
  try {
    await connection.load(settings, () => undefined);
  } finally {
    await connection.close();
  }
}

/**
 * Megabytes of proportional set size over file and cache, all of which has been touched. ONNX Runtime and the package must not
 * be mapped by another process: their pages would be shared out among them.
 */
export async function engineMegabytes(settings) {
  const connection = connect();
  try {
    await connection.load({ ...settings, contextLength, cacheContexts: 1 }, () => undefined);
    const { signal } = new globalThis.AbortController();
    await Promise.all(
      Array.from({ length: numSequences }, () => connection.generate(generationRequest(), signal, () => undefined)),
    );
    const tarsPackage = openPackage(settings);
    const cacheBytes = contextLength * kvBytesPerToken({ ...tarsPackage.metadata.hyperParameters, type: 'float16' });
    return (proportionalSetBytes(connection.pid) - tarsPackage.sizeBytes - cacheBytes) / 1e6;
  } finally {
    await connection.close();
  }
}

function connect() {
  return new EngineConnection({ onDeath: () => undefined, onStats: () => undefined });
}

function generationRequest() {
  return {
    prompt: randomIds(promptTokens),
    sampling: { ...defaultSamplingOptions, seed: 1 },
    stop: [],
    numPredict: decodeTokens,
    numKeep: 0,
    shift: false,
    truncate: false,
  };
}

function proportionalSetBytes(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]) * 1024;
}
