// Messages between an engine and the thread that follows its grammars.

export interface GrammarVocabularyTables {
  /** How `spellings` writes bytes: the byte-level alphabet, or `▁` and `<0x0A>`. */
  readonly kind: 'byte_level' | 'byte_fallback';
  /** Each token in the vocabulary's own spelling. Empty ones are never allowed: control tokens. */
  readonly spellings: readonly string[];
  /** Length of a row of scores. */
  readonly size: number;
  readonly endIds: readonly number[];
}

export type ToThread =
  | { readonly type: 'open'; readonly id: number; readonly grammar: string; readonly mask: SharedArrayBuffer }
  | { readonly type: 'token'; readonly id: number; readonly token: number }
  | { readonly type: 'text'; readonly id: number; readonly text: string }
  | { readonly type: 'close'; readonly id: number };

/** Answers 'open', 'token' and 'text', in their order: the mask is written, or why it is not. */
export interface FromThread {
  readonly id: number;
  readonly error?: string;
}
