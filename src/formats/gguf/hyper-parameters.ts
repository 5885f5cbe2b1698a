// Hyper-parameters of the supported families from `{architecture}.*` metadata, checked against each other.
import { TarsError } from '../../errors/index.js';
import { shortestSingle } from '../../util/index.js';
import type { HyperParameters } from '../tensor-source.js';
import { familyOf, familyNames } from './families.js';
import type { GgufFile } from './gguf-file.js';
import { maxLayers } from './limits.js';
import { readRope } from './rope.js';

/**
 * Reads and checks all hyper-parameters. Errors: ARCHITECTURE_UNSUPPORTED; FILE_INVALID for a missing or impossible value;
 * FORMAT_UNSUPPORTED for a variant that the family's graph cannot express (experts, heads that differ by layer).
 */
export function readHyperParameters(file: GgufFile): HyperParameters {
  const { metadata } = file;
  const architecture = metadata.string('general.architecture') ?? 'unknown';
  if (familyOf(architecture) === undefined) {
    throw new TarsError('ARCHITECTURE_UNSUPPORTED', { file: file.path, architecture, supported: familyNames().join(', ') });
  }
  refuseVariants(file, architecture);
  const hiddenSize = requireCount(file, `${architecture}.embedding_length`);
  const numHeads = requireCount(file, `${architecture}.attention.head_count`);
  const numKvHeads = perLayerCount(file, `${architecture}.attention.head_count_kv`) ?? numHeads;
  const headSize = readHeadSize(file, architecture, hiddenSize, numHeads);
  const contextLength = requireCount(file, `${architecture}.context_length`);
  checkHeads(file, architecture, numHeads, numKvHeads, headSize);
  return {
    architecture,
    hiddenSize,
    intermediateSize: requireCount(file, `${architecture}.feed_forward_length`),
    numLayers: requireCount(file, `${architecture}.block_count`, maxLayers),
    numHeads,
    numKvHeads,
    headSize,
    vocabSize: readVocabSize(file, architecture),
    contextLength,
    rmsNormEpsilon: readEpsilon(file, architecture),
    rope: readRope(file, architecture, headSize, contextLength),
    ...readSlidingWindow(file, architecture, contextLength),
  };
}

function refuseVariants(file: GgufFile, architecture: string): void {
  const numShards = file.metadata.count('split.count') ?? 1;
  if (numShards > 1) {
    throw unsupported(file, `it is one of ${numShards} shards of a split model; merge them into one file first`);
  }
  const numExperts = file.metadata.count(`${architecture}.expert_count`) ?? 0;
  if (numExperts > 0) {
    throw unsupported(file, `mixture of experts (${numExperts} experts) is not supported`);
  }
}

/** The head size is the width divided by the heads unless the file gives it. */
function readHeadSize(file: GgufFile, architecture: string, hiddenSize: number, numHeads: number): number {
  const keyLength = file.metadata.count(`${architecture}.attention.key_length`) ?? hiddenSize / numHeads;
  const valueLength = file.metadata.count(`${architecture}.attention.value_length`) ?? keyLength;
  if (keyLength !== valueLength) {
    throw unsupported(
      file,
      `attention keys of ${keyLength} and values of ${valueLength} elements are not supported; they must be equal`,
    );
  }
  return keyLength;
}

function checkHeads(file: GgufFile, architecture: string, numHeads: number, numKvHeads: number, headSize: number): void {
  if (numHeads % numKvHeads !== 0) {
    throw file.metadata.invalid(
      `${architecture}.attention.head_count_kv`,
      `is ${numKvHeads}, which does not divide ${numHeads} heads`,
    );
  }
  if (!Number.isSafeInteger(headSize) || headSize < 2 || headSize % 2 !== 0) {
    throw file.metadata.invalid(`${architecture}.attention.head_count`, `gives the impossible head size ${headSize}`);
  }
}

/** The embedding has one row per id; a token list of another length would give ids without text. */
function readVocabSize(file: GgufFile, architecture: string): number {
  const embedding = file.tensors.find((tensor) => tensor.name === 'token_embd.weight');
  const numTokens = file.metadata.arrayLength('tokenizer.ggml.tokens');
  const vocabSize = embedding?.shape[1] ?? numTokens ?? requireCount(file, `${architecture}.vocab_size`);
  if (numTokens !== undefined && numTokens !== vocabSize) {
    throw file.metadata.invalid('tokenizer.ggml.tokens', `has ${numTokens} tokens, but the embedding has ${vocabSize} rows`);
  }
  return vocabSize;
}

function readEpsilon(file: GgufFile, architecture: string): number {
  const key = `${architecture}.attention.layer_norm_rms_epsilon`;
  const epsilon = file.metadata.number(key);
  if (epsilon === undefined || !(epsilon >= 0) || epsilon > 1) {
    throw file.metadata.invalid(key, epsilon === undefined ? 'is missing' : `has the impossible value ${epsilon}`);
  }
  return shortestSingle(epsilon);
}

/** A window that covers the whole context is no window. */
function readSlidingWindow(file: GgufFile, architecture: string, contextLength: number): { slidingWindow?: number } {
  const slidingWindow = file.metadata.count(`${architecture}.attention.sliding_window`) ?? 0;
  return slidingWindow > 0 && slidingWindow < contextLength ? { slidingWindow } : {};
}

/** A positive integer of at most `limit` (2^31 by default: nothing that counts sizes in one tensor is larger). */
function requireCount(file: GgufFile, key: string, limit = 0x7fff_ffff): number {
  const value = perLayerCount(file, key);
  if (value === undefined || value < 1 || value > limit) {
    throw file.metadata.invalid(key, value === undefined ? 'is missing' : `has the impossible value ${value}`);
  }
  return value;
}

/** Some keys may hold one value per layer; only equal values have a graph. */
function perLayerCount(file: GgufFile, key: string): number | undefined {
  const { metadata } = file;
  if (metadata.type(key) !== 'array') {
    return positive(file, key, metadata.count(key));
  }
  if ((metadata.arrayLength(key) ?? 0) > maxLayers) {
    throw metadata.invalid(key, `has more than ${maxLayers} values`);
  }
  const values = metadata.numbers(key) ?? [];
  if (values.some((value) => value !== values[0])) {
    throw unsupported(file, `"${key}" differs by layer, which is not supported`);
  }
  return positive(file, key, values[0]);
}

function positive(file: GgufFile, key: string, value: number | undefined): number | undefined {
  if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
    throw file.metadata.invalid(key, `has the impossible value ${value}`);
  }
  return value;
}

function unsupported(file: GgufFile, reason: string): TarsError {
  return new TarsError('FORMAT_UNSUPPORTED', { file: file.path, reason });
}
