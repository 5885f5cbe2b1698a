import { TarsError } from '../errors/index.js';
import { Candidates } from './candidates.js';
import { logprobsOf, type TokenLogprobs } from './logprobs.js';
import type { SamplingOptions } from './options.js';
import { Penalties } from './penalties.js';
import { RandomGenerator, randomSeed } from './random.js';
import type { TokenConstraint } from './token-constraint.js';

/**
 * Picks the tokens of one sequence. Not shared between sequences: the penalties and the random generator are its state.
 */
export class Sampler {
  readonly #options: SamplingOptions;
  readonly #vocabSize: number;
  readonly #candidates: Candidates;
  readonly #penalties: Penalties;
  readonly #random: RandomGenerator;
  readonly #constraint: TokenConstraint | undefined;

  constructor(options: SamplingOptions, vocabSize: number, constraint?: TokenConstraint) {
    this.#options = options;
    this.#vocabSize = vocabSize;
    this.#constraint = constraint;
    // A list of the k best needs no room for the whole vocabulary.
    const capacity = options.temperature <= 0 ? 1 : options.topK > 0 ? Math.min(options.topK, vocabSize) : vocabSize;
    this.#candidates = new Candidates(capacity, vocabSize);
    this.#penalties = new Penalties(options);
    this.#random = new RandomGenerator(options.seed === -1 ? randomSeed() : options.seed);
  }

  /** Tells the penalties of a token of the sequence: each prompt token and each generated one, in order. */
  accept(id: number): void {
    this.#penalties.accept(id);
  }

  /**
   * Id of the next token for one row of raw scores [vocabulary]. -Infinity masks a token, NaN counts as masked. The row is
   * the same afterwards. Throws TarsError LOGITS_INVALID when nothing is left. A constraint must be ready.
   */
  sample(logits: Float32Array): number {
    const id = this.#pick(this.#constraint?.masked(logits) ?? logits);
    this.#constraint?.accept(id);
    return id;
  }

  #pick(logits: Float32Array): number {
    if (logits.length !== this.#vocabSize) {
      throw new TarsError('LOGITS_INVALID', { reason: `${logits.length} scores for ${this.#vocabSize} tokens` });
    }
    this.#penalties.apply(logits);
    try {
      return this.#options.temperature <= 0 ? greedy(this.#candidates, logits) : this.#draw(logits);
    } finally {
      this.#penalties.restore(logits);
    }
  }

  /** Log-probabilities of raw scores: penalties, filters and temperature play no part. */
  logprobs(logits: Float32Array, id: number, topN: number): TokenLogprobs {
    return logprobsOf(logits, id, topN);
  }

  /**
   * The order of llama.cpp: penalties (applied by the caller), top-k, typical, top-p, min-p, temperature. So top-p and min-p
   * see the probabilities at temperature 1.
   */
  #draw(logits: Float32Array): number {
    const { topK, typicalP, topP, minP, temperature } = this.#options;
    const candidates = this.#candidates;
    if (topK > 0) {
      candidates.takeTop(logits, topK);
    } else {
      candidates.takeAll(logits);
    }
    if (candidates.length === 0) {
      throw noToken();
    }
    if (typicalP < 1) {
      candidates.keepTypical(typicalP);
    }
    if (topP < 1) {
      candidates.keepTopP(topP);
    }
    if (minP > 0) {
      candidates.keepMinP(minP);
    }
    const total = candidates.weigh(temperature);
    return candidates.draw(this.#random.next() * total);
  }
}

/** The best score; the lowest id of equals. */
function greedy(best: Candidates, logits: Float32Array): number {
  best.takeTop(logits, 1);
  if (best.length === 0) {
    throw noToken();
  }
  return best.idAt(0);
}

function noToken(): TarsError {
  return new TarsError('LOGITS_INVALID', { reason: 'every score is NaN or minus infinity' });
}
