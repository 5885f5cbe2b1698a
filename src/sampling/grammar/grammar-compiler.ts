import type { TokenConstraint } from '../token-constraint.js';
import { GrammarConstraint, type ConstraintVocabulary } from './grammar-constraint.js';
import { GrammarThread } from './grammar-thread.js';
import { ThinkingGate, type ThinkingTags } from './thinking-gate.js';
import type { GrammarVocabularyTables } from './thread-messages.js';

export interface GrammarVocabulary extends ConstraintVocabulary, GrammarVocabularyTables {}

/** Thinking that comes before the constrained text. `isInside`: the prompt ends within it. */
export interface ConstraintThinking extends ThinkingTags {
  readonly isInside: boolean;
}

/** Makes constraints for one vocabulary. The library and the vocabulary's tables are loaded with the first one. */
export class GrammarCompiler {
  readonly #vocabulary: GrammarVocabulary;
  readonly #thread: GrammarThread;

  constructor(vocabulary: GrammarVocabulary) {
    this.#vocabulary = vocabulary;
    // Without the function, which no thread can be given.
    const { kind, spellings, size, endIds } = vocabulary;
    this.#thread = new GrammarThread({ kind, spellings, size, endIds });
  }

  /** A constraint to a grammar (XGrammar's EBNF, root rule `root`). Dispose it with its sequence. Throws TarsError GRAMMAR_FAILED. */
  async constraint(grammar: string, thinking: ConstraintThinking | undefined): Promise<TokenConstraint> {
    const follower = await this.#thread.open(grammar);
    const gate = thinking === undefined ? undefined : new ThinkingGate(thinking, thinking.isInside);
    return new GrammarConstraint(follower, this.#vocabulary, gate);
  }
}
