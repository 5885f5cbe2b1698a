// Steps of a chosen shape at a chosen place of the context, without running the prompts that would lead there: the cache is
// filled with random numbers. One session and model runner as the engine has them; sampling is included when asked for.
import { performance } from 'node:perf_hooks';
import { ModelRunner } from '../dist/engine/index.js';
import { Environment } from '../dist/runtime/index.js';
import { Sampler, defaultSamplingOptions } from '../dist/sampling/index.js';
import { createSession, openPackage, randomIds } from './engine-runs.mjs';

const blockSize = 32;

/** As in src/runners/engine-process/load-model.ts. */
const spinning = {
  'session.intra_op.allow_spinning': '1',
  'session.intra_op.spin_duration_us': '1000',
  'session.force_spinning_stop': '1',
};

export class BareSteps {
  #environment = new FilledEnvironment();
  #session;
  #runner;
  #sequences;
  #samplers;

  /** For up to `numSequences` sequences of up to `contextTokens` tokens each. */
  static async open(settings, { numSequences, contextTokens }) {
    const steps = new BareSteps();
    const tarsPackage = openPackage(settings);
    const { numLayers, numKvHeads, headSize, vocabSize } = tarsPackage.metadata.hyperParameters;
    const sequenceBlocks = Math.ceil(contextTokens / blockSize);
    const numBlocks = numSequences * sequenceBlocks;
    const contextLength = sequenceBlocks * blockSize;
    steps.#session = await createSession(steps.#environment, tarsPackage, { ...settings, contextLength }, spinning);
    steps.#runner = new ModelRunner(
      steps.#environment,
      steps.#session,
      { numLayers, numBlocks, blockSize, numKvHeads, headSize, type: 'float16' },
      { maxTokens: 64, maxSequences: numSequences, maxLogits: 64, maxSequenceBlocks: sequenceBlocks, vocabSize },
    );
    // A cache in use is not in order: the sequences took their blocks in turn.
    steps.#sequences = Array.from({ length: numSequences }, (_, sequence) => ({
      tokens: randomIds(contextLength),
      numComputed: 0,
      blocks: Array.from({ length: sequenceBlocks }, (_, block) => block * numSequences + sequence),
    }));
    steps.#samplers = steps.#sequences.map(() => new Sampler({ ...defaultSamplingOptions, seed: 1 }, vocabSize));
    return steps;
  }

  /** Milliseconds a step of `numTokens` tokens of each of `numSequences` sequences, behind `past` tokens of context. */
  async msPerStep({ numSequences = 1, numTokens = 1, past, numSteps, samples = false }) {
    const sequences = this.#sequences.slice(0, numSequences);
    const plan = sequences.map((sequence) => ({ sequence, numTokens, numLogits: numTokens }));
    sequences.forEach((sequence) => (sequence.numComputed = past));
    const start = performance.now();
    for (let step = 0; step < numSteps; step++) {
      const rows = await this.#runner.run(plan);
      if (samples) {
        this.#samplers.slice(0, numSequences).forEach((sampler, index) => sampler.sample(rows[index]));
      }
      sequences.forEach((sequence) => (sequence.numComputed += numTokens));
    }
    return (performance.now() - start) / numSteps;
  }

  [Symbol.dispose]() {
    this.#runner[Symbol.dispose]();
    this.#session[Symbol.dispose]();
    this.#environment[Symbol.dispose]();
  }
}

/**
 * Writes random float16 numbers of 0.03 to 0.5, of both signs, into all memory. Pages that were never written all read the
 * same zeros from a processor cache, so an empty cache of keys and values would cost nothing to read.
 */
class FilledEnvironment extends Environment {
  allocate(byteLength) {
    const memory = super.allocate(byteLength);
    const words = new Uint16Array(memory.view(), 0, Math.floor(byteLength / 2));
    const seeded = Math.min(words.length, 2 ** 18);
    for (let index = 0; index < seeded; index++) {
      const random = Math.floor(Math.random() * 2 ** 13);
      words[index] = (0x2800 + (random & 0xfff)) | ((random & 0x1000) << 3);
    }
    for (let filled = seeded; filled < words.length; filled *= 2) {
      words.copyWithin(filled, 0, Math.min(filled, words.length - filled));
    }
    return memory;
  }
}
