import type { CompiledGrammar, GrammarCompiler as Compiler } from '@mlc-ai/web-xgrammar';
import type { TokenConstraint } from '../token-constraint.js';
import { GrammarConstraint, type ConstraintVocabulary } from './grammar-constraint.js';
import { jsonObjectGrammar } from './json-grammar.js';
import { loadXGrammar } from './library.js';
import { ThinkingGate, type ThinkingTags } from './thinking-gate.js';

export interface GrammarVocabulary extends ConstraintVocabulary {
  /** How `spellings` writes bytes: the byte-level alphabet, or `▁` and `<0x0A>`. */
  readonly kind: 'byte_level' | 'byte_fallback';
  /** Each token in the vocabulary's own spelling. Empty ones are never allowed: control tokens. */
  readonly spellings: readonly string[];
}

/** Thinking that comes before the constrained text. `isInside`: the prompt ends within it. */
export interface ConstraintThinking extends ThinkingTags {
  readonly isInside: boolean;
}

/** Makes constraints for one vocabulary. The library and the vocabulary's tables are loaded with the first one. */
export class GrammarCompiler {
  readonly #vocabulary: GrammarVocabulary;
  #compiler: Promise<Compiler> | undefined;
  #jsonObject: Promise<CompiledGrammar> | undefined;

  constructor(vocabulary: GrammarVocabulary) {
    this.#vocabulary = vocabulary;
  }

  /** A constraint to one JSON object. Dispose it with its sequence. */
  async jsonObject(thinking: ConstraintThinking | undefined): Promise<TokenConstraint> {
    this.#jsonObject ??= this.#open().then((compiler) => compiler.compileGrammar(jsonObjectGrammar));
    const matcher = await loadXGrammar().GrammarMatcher.createGrammarMatcher(await this.#jsonObject);
    const gate = thinking === undefined ? undefined : new ThinkingGate(thinking, thinking.isInside);
    return new GrammarConstraint(matcher, this.#vocabulary, gate);
  }

  #open(): Promise<Compiler> {
    this.#compiler ??= (async () => {
      const { spellings, kind, size, endIds } = this.#vocabulary;
      const { GrammarCompiler: Library, TokenizerInfo } = loadXGrammar();
      const info = await TokenizerInfo.createTokenizerInfo([...spellings], kind, false, size, [...endIds]);
      return Library.createGrammarCompiler(info);
    })();
    return this.#compiler;
  }
}
