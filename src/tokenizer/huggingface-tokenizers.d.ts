// The part of the library that is used. Its own declarations import without file extensions, which Node's module
// resolution does not find, so that every export would be missing.
declare module '@huggingface/tokenizers' {
  export interface SplitConfiguration {
    readonly type: 'Split';
    readonly pattern: { readonly Regex: string };
    readonly behavior: 'Isolated';
    readonly invert: boolean;
  }

  export class SplitPreTokenizer {
    constructor(config: SplitConfiguration);
    pre_tokenize(texts: string[]): string[];
  }
}
