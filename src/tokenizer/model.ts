/**
 * A tokenizer's data in a form that every file format can fill in (GGUF's `tokenizer.ggml.*` keys are the model for it).
 * Kept apart from the tokenizer itself so that reading a file does not build one.
 */
export interface TokenizerModel {
  /** `bpe`: byte-level byte-pair encoding (GGUF "gpt2"). `spm`: SentencePiece-style with byte fallback (GGUF "llama"). */
  readonly kind: 'bpe' | 'spm';
  /** Named pre-tokenizer of byte-level BPE: `default`, `llama-bpe`, `qwen2`, `smollm`, `gpt-2`, ... */
  readonly preTokenizer: string;
  /** Text of each id, in the vocabulary's own spelling (byte-level alphabet for `bpe`, `▁` for `spm`). */
  readonly tokens: readonly string[];
  /** GGUF token types by id: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
  readonly tokenTypes: ArrayLike<number>;
  /** Score by id (`spm` only). */
  readonly scores?: ArrayLike<number>;
  /** `left right` pairs in order of rank (`bpe` only). */
  readonly merges?: readonly string[];
  readonly bosId?: number;
  readonly eosId?: number;
  readonly unknownId?: number;
  readonly paddingId?: number;
  /** Ids that end a generation: end of sequence, end of turn, end of message. */
  readonly endIds: readonly number[];
  readonly addBos: boolean;
  readonly addEos: boolean;
  /** `spm` only: whether a space is put before the text. */
  readonly addSpacePrefix: boolean;
}
