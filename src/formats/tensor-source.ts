// What every weight reader yields. Nothing downstream of this interface can tell which file format it came from.
import type { BlockType } from '../quant/index.js';
import type { TokenizerModel } from '../tokenizer/index.js';

/** One tensor under its canonical (Hugging Face) name, for example `model.layers.0.self_attn.q_proj.weight`. */
export interface TensorInfo {
  readonly name: string;
  /** Row-major, slowest dimension first: a linear weight is [outputs, inputs], a norm weight is [width]. */
  readonly shape: readonly number[];
  /** How the elements of one row are stored. */
  readonly type: BlockType;
}

/** Rotary embedding, as the Hugging Face configuration spells it. */
export interface RopeParameters {
  readonly theta: number;
  /** Number of leading elements of each head that are rotated (usually the head size). */
  readonly rotarySize: number;
  readonly scaling:
    | { readonly type: 'none' }
    | { readonly type: 'linear'; readonly factor: number }
    | {
        readonly type: 'llama3';
        readonly factor: number;
        readonly lowFreqFactor: number;
        readonly highFreqFactor: number;
        readonly originalContextLength: number;
      }
    | {
        readonly type: 'yarn';
        readonly factor: number;
        readonly originalContextLength: number;
        readonly attentionFactor?: number;
        readonly betaFast: number;
        readonly betaSlow: number;
      }
    /** Each frequency is divided by its own factor (GGUF `rope_freqs.weight`, LongRoPE): [rotarySize / 2] values. */
    | { readonly type: 'factors'; readonly factors: readonly number[]; readonly attentionFactor: number };
}

export interface HyperParameters {
  /** Canonical family name, as Hugging Face's `model_type`: `llama`, `qwen2`, `qwen3`. */
  readonly architecture: string;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headSize: number;
  readonly vocabSize: number;
  /** Longest context the model was trained for, in tokens. */
  readonly contextLength: number;
  readonly rmsNormEpsilon: number;
  readonly rope: RopeParameters;
  /** Left attention window in tokens, or undefined for full attention. */
  readonly slidingWindow?: number;
}

/** An opened model: hyper-parameters, tokenizer, and rows of tensors read on demand. */
export interface TensorSource {
  readonly hyperParameters: HyperParameters;
  readonly tokenizer: TokenizerModel;
  /** Jinja chat template, when the file carries one. */
  readonly chatTemplate?: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * Raw bytes (blocks as stored, little-endian) of `numRows` rows from `firstRow` of a tensor; a vector is one row.
   * Rows come in canonical order: a reader whose format permutes rows (GGUF's rotary order for Llama) undoes it here.
   * Throws TarsError FILE_TRUNCATED when the file ends early.
   */
  readRows(name: string, firstRow: number, numRows: number): Uint8Array;
  close(): void;
}
