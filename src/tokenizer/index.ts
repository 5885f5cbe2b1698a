export { IncrementalDetokenizer } from './incremental-detokenizer.js';
export type { TokenizerModel } from './model.js';
export { preTokenizerNames } from './pre-tokenizers.js';
export { createTokenizer, type DecodeOptions, type EncodeOptions, type Tokenizer } from './tokenizer.js';
