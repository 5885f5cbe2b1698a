// What the server knows of a loaded model. The implementation runs one engine process per loaded model.
import type { SamplingOptions } from '../sampling/index.js';

/** Options that shape a loaded model: changing one of them reloads it. `undefined` means automatic. */
export interface LoadOptions {
  /** Context length in tokens of each sequence; clamped to the model's trained length. */
  readonly numCtx?: number;
  /** Most prompt tokens in one step. */
  readonly numBatch?: number;
  readonly numThread?: number;
  /** 0 forces the CPU; -1 or undefined is automatic. */
  readonly numGpu?: number;
}

/** A stored model as the runners need it: one weights file and where it came from. */
export interface RunnableModel {
  /** Shortest display name with tag, for logs, metrics and /api/ps. */
  readonly displayName: string;
  /** Digest of the manifest, bare hex. */
  readonly digest: string;
  /** Weights file (GGUF). Two names that share it share one runner. */
  readonly weightsPath: string;
  /** Digest of the weights file, `sha256:…`. */
  readonly weightsDigest: string;
}

export interface GenerationRequest {
  /** Rendered prompt: text (special tokens in it are parsed, BOS is added as the model asks) or token ids taken as they are. */
  readonly prompt: string | readonly number[];
  readonly sampling: SamplingOptions;
  /** Stop strings; the matched text is not emitted. */
  readonly stop: readonly string[];
  /** Most tokens to generate; negative means until the model stops (bounded by 10 × context length). */
  readonly numPredict: number;
  /** Prompt tokens kept in front when the context is shifted. */
  readonly numKeep: number;
  /** Discard the oldest tokens when the context is full (true), or stop with `length` (false). */
  readonly shift: boolean;
  /** Cut a prompt longer than the asked-for context from its middle (true), or send it as it is and refuse what cannot fit (false). */
  readonly truncate: boolean;
  /** Number of alternatives to report with each token's log-probability; undefined reports none at all. */
  readonly topLogprobs?: number;
  /** Keep the answer to a grammar (XGrammar's EBNF, root rule `root`), the thinking before it aside. */
  readonly format?: { readonly grammar: string; readonly thinking?: { readonly open: string; readonly close: string } };
  /** Report the log-probability of every prompt token but the first. */
  readonly promptLogprobs?: boolean;
}

export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  /** UTF-8 bytes of the token. */
  readonly bytes: readonly number[];
  readonly top?: readonly { readonly token: string; readonly logprob: number; readonly bytes: readonly number[] }[];
}

export type DoneReason = 'stop' | 'length';

export interface GenerationStats {
  /** Tokens of the prompt, those found in the prefix cache included. */
  readonly promptTokens: number;
  readonly promptDurationNs: number;
  readonly generatedTokens: number;
  readonly generationDurationNs: number;
}

export type GenerationEvent =
  | { readonly kind: 'text'; readonly text: string; readonly logprobs?: readonly TokenLogprob[] }
  | {
      readonly kind: 'done';
      readonly reason: DoneReason;
      readonly stats: GenerationStats;
      /** Ids of prompt and answer, for `context` of /api/generate. */
      readonly contextIds: readonly number[];
      /** Of each prompt token but the first, when the request wants them. */
      readonly promptLogprobs?: readonly TokenLogprob[];
    };

/** A model that is loaded and held by one request; release it exactly once. */
export interface RunnerLease {
  /** Time this request waited for the model to load, in nanoseconds. */
  readonly loadDurationNs: number;
  /** Effective context length in tokens. */
  readonly contextLength: number;
  /**
   * Runs one generation and reports its events as they come; settles after `done`. Aborting the signal, or an `onEvent` that
   * throws, ends the sequence and frees its cache blocks; nothing is reported after that.
   * Rejects with TarsError PROMPT_TOO_LONG, CONTEXT_EXCEEDED, RUNNER_STOPPED, REQUEST_CANCELED, ...
   */
  generate(request: GenerationRequest, signal: AbortSignal, onEvent: (event: GenerationEvent) => void): Promise<void>;
  /** Token ids of a text; special tokens in it are parsed. BOS is added as the model asks when `addBos` is true. */
  tokenize(text: string, addBos: boolean): Promise<readonly number[]>;
  /** Text of ids, control tokens written out, so that it can be tokenised again. */
  detokenize(ids: readonly number[]): Promise<string>;
  release(): void;
}

export interface LoadedModel {
  readonly model: RunnableModel;
  /** Bytes of weights, cache and buffers. */
  readonly sizeBytes: number;
  readonly vramBytes: number;
  readonly contextLength: number;
  /** Unix milliseconds; Infinity when kept for ever. */
  readonly expiresAtMs: number;
}

/** Loads, shares, keeps alive and unloads models. */
export interface RunnerPool {
  /**
   * Waits until the model is loaded (loading or reloading it when needed, evicting idle ones to make room).
   * keepAliveMs: undefined keeps the model's present duration (or the default), 0 unloads after the last request, Infinity never.
   * Throws TarsError SERVER_BUSY, LOAD_TIMEOUT, OUT_OF_MEMORY, REQUEST_CANCELED, or what the load failed with.
   */
  acquire(model: RunnableModel, options: LoadOptions, keepAliveMs: number | undefined, signal: AbortSignal): Promise<RunnerLease>;
  /** Unloads as soon as its running requests end; nothing happens when it is not loaded. */
  unload(model: RunnableModel): void;
  /** The weights of a model were deleted: deletes what was prepared from them. A loaded copy goes on until it expires. */
  forget(model: RunnableModel): void;
  /** Loaded models, the one that expires last first. */
  list(): readonly LoadedModel[];
  /** Ends every engine process. Streams in flight end with an error. */
  close(): Promise<void>;
}
