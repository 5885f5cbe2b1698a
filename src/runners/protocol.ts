// Messages between the server process and an engine process (JSON over the child's IPC channel: for messages this small it takes
// less processor time than structured clone). What comes of steps is in step-frame.ts. Numbers must be finite.
import type { ErrorCode, ErrorParameters } from '../errors/index.js';
import type { Recipe } from '../graph/index.js';
import type { CacheType } from '../quant/index.js';
import type { GenerationEvent, GenerationRequest } from './types.js';

/** Everything an engine process needs to load one model. */
export interface EngineSettings {
  /** Weights file (GGUF). */
  readonly weightsPath: string;
  /** Digest of the weights file, `sha256:…`; part of the package's name. */
  readonly weightsDigest: string;
  /** Folder of `.tars` packages. */
  readonly packageFolder: string;
  readonly recipe: Recipe;
  /** Asked-for context length in tokens; clamped to what the model was trained for. */
  readonly contextLength: number;
  /** Most tokens in one step. */
  readonly stepTokens: number;
  /** Most sequences in one step. */
  readonly maxSequences: number;
  /** The cache holds this many full contexts; shorter sequences share it. */
  readonly cacheContexts: number;
  /** Asked-for type of the cache; float16 where the heads do not fit it. */
  readonly cacheType: CacheType;
  /** Most bytes of cache, as far as one full context still fits. */
  readonly maxCacheBytes: number;
  readonly numThreads: number;
  readonly operatorLibrary?: string;
}

export interface EngineReady {
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly weightsBytes: number;
  readonly cacheBytes: number;
  readonly cacheType: CacheType;
  readonly numThreads: number;
  /** Instruction set of the operator library, for logs. */
  readonly instructionSet: string;
}

export interface LoadProgress {
  readonly stage: 'packing' | 'session' | 'tokenizer';
  /** 0 … 1 within the stage. */
  readonly fraction: number;
}

/** A TarsError on its way through the channel; anything else becomes INTERNAL. */
export interface WireError {
  readonly code: ErrorCode;
  readonly parameters: ErrorParameters;
}

export type ToEngine =
  | { readonly type: 'load'; readonly settings: EngineSettings }
  | { readonly type: 'generate'; readonly id: number; readonly request: GenerationRequest }
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'tokenize'; readonly id: number; readonly text: string; readonly addBos: boolean }
  | { readonly type: 'detokenize'; readonly id: number; readonly ids: readonly number[] }
  | { readonly type: 'shutdown' };

/** What happened to one request. */
export type RequestEvent =
  | { readonly id: number; readonly event: GenerationEvent }
  | { readonly id: number; readonly error: WireError }
  | { readonly id: number; readonly result: string | readonly number[] };

export type FromEngine =
  | { readonly type: 'progress'; readonly progress: LoadProgress }
  | { readonly type: 'ready'; readonly ready: EngineReady }
  | { readonly type: 'failed'; readonly error: WireError };
