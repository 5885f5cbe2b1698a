// One token stream and its place in the cache, described by counters rather than phases.
import { Sampler, type SamplingOptions, type TokenConstraint } from '../sampling/index.js';
import { prefixKey, type PrefixKey } from './block-pool.js';

export type StopReason = 'stop' | 'length' | 'abort';

export interface SequenceStats {
  readonly promptTokens: number;
  /** Prompt tokens whose keys and values were found in the prefix cache. */
  readonly cachedTokens: number;
  /** From submission to admission. */
  readonly queueDurationNs: number;
  /** From admission to the first sampled token. */
  readonly promptDurationNs: number;
  readonly generatedTokens: number;
  /** From the first sampled token to the end. */
  readonly generationDurationNs: number;
}

export interface TokenChoice {
  readonly id: number;
  readonly logprob: number;
}

export interface TokenScores extends TokenChoice {
  /** The most likely tokens, best first. */
  readonly top: readonly TokenChoice[];
}

/** What a caller submits. Callbacks run between two steps, on the engine's thread, and must be quick. */
export interface SequenceRequest {
  readonly promptIds: readonly number[];
  readonly sampling: SamplingOptions;
  /** Ids that end the sequence; they are not reported. */
  readonly endIds: ReadonlySet<number>;
  /** Most tokens to generate. */
  readonly maxTokens: number;
  /** Tokens kept at the front when the context is shifted. */
  readonly numKeep: number;
  /** What happens when the context is full: discard the oldest half (true) or finish with `length` (false). */
  readonly shift: boolean;
  /** Report log-probabilities with this many alternatives; undefined reports none. */
  readonly topLogprobs?: number;
  /** What the sequence may go on with; the caller disposes it. */
  readonly constraint?: TokenConstraint;
  /** Report the log-probability of every prompt token but the first; such a prompt takes nothing from the prefix cache. */
  readonly scoresPrompt?: boolean;
  /** A token was generated. Returning true ends the sequence with `stop` before the next step is planned. */
  onToken(id: number, scores: TokenScores | undefined): boolean;
  /** `promptLogprobs`: of each prompt token but the first, when `scoresPrompt`; empty otherwise. */
  onFinish(reason: StopReason, stats: SequenceStats, promptLogprobs: readonly number[]): void;
  onError(error: Error): void;
}

export class Sequence {
  readonly id: number;
  readonly request: SequenceRequest;
  readonly sampler: Sampler;
  /** Every token of the context: prompt, then generated ones. */
  readonly tokens: number[];
  /** Cache blocks in order; they hold the first `numComputed` tokens. */
  blocks: number[] = [];
  /** Tokens whose keys and values are in the cache. */
  numComputed = 0;
  numGenerated = 0;
  isAborted = false;
  /** The oldest tokens were discarded: the context no longer begins with the prompt. */
  isShifted = false;
  numCachedTokens = 0;
  /** Log-probability of prompt token i + 1, as far as it is known; only when the request wants it. */
  readonly promptLogprobs: number[] = [];
  admittedAtNs = 0n;
  firstTokenAtNs = 0n;
  readonly #submittedAtNs: bigint;
  readonly #blockSize: number;
  #prefixKeys: PrefixKey[] = [];

  constructor(id: number, request: SequenceRequest, vocabSize: number, blockSize: number, nowNs: bigint) {
    this.id = id;
    this.request = request;
    this.tokens = [...request.promptIds];
    this.sampler = new Sampler(request.sampling, vocabSize, request.constraint);
    this.#submittedAtNs = nowNs;
    this.#blockSize = blockSize;
    for (const token of request.promptIds) {
      this.sampler.accept(token);
    }
  }

  /** Tokens that the model has not seen yet: the rest of a prompt, or the last generated one. */
  get numPending(): number {
    return this.tokens.length - this.numComputed;
  }

  /** The prompt is being run and each of its tokens is to be scored. */
  get isScoring(): boolean {
    return this.request.scoresPrompt === true && !this.isShifted && this.numComputed < this.request.promptIds.length;
  }

  /** Key of the prefix that ends with full block `index`; computed once per block. */
  prefixKeyOf(index: number): PrefixKey {
    for (let next = this.#prefixKeys.length; next <= index; next++) {
      const tokens = this.tokens.slice(next * this.#blockSize, (next + 1) * this.#blockSize);
      this.#prefixKeys.push(prefixKey(this.#prefixKeys[next - 1] ?? '', tokens));
    }
    return this.#prefixKeys[index] ?? '';
  }

  /** Adds a sampled token; its keys and values are not in the cache yet. */
  append(id: number, nowNs: bigint): void {
    this.tokens.push(id);
    this.sampler.accept(id);
    this.numGenerated += 1;
    if (this.firstTokenAtNs === 0n) {
      this.firstTokenAtNs = nowNs;
    }
  }

  /** Discards tokens after the first `keep`, the oldest half of the rest, and all that was computed. */
  shift(keep: number): void {
    const discarded = Math.max(1, Math.floor((this.tokens.length - keep) / 2));
    this.tokens.splice(keep, discarded);
    this.isShifted = true;
    this.#prefixKeys = [];
    this.numComputed = 0;
  }

  stats(nowNs: bigint): SequenceStats {
    const admitted = this.admittedAtNs === 0n ? nowNs : this.admittedAtNs;
    const firstToken = this.firstTokenAtNs === 0n ? nowNs : this.firstTokenAtNs;
    return {
      promptTokens: this.request.promptIds.length,
      cachedTokens: this.numCachedTokens,
      queueDurationNs: Number(admitted - this.#submittedAtNs),
      promptDurationNs: Number(firstToken - admitted),
      generatedTokens: this.numGenerated,
      generationDurationNs: Number(nowNs - firstToken),
    };
  }
}
