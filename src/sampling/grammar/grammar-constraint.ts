import type { TokenConstraint } from '../token-constraint.js';
import type { GrammarFollower } from './grammar-thread.js';
import type { ThinkingGate } from './thinking-gate.js';

/** What a constraint has to know of the vocabulary. */
export interface ConstraintVocabulary {
  /** Length of a row of scores. */
  readonly size: number;
  readonly endIds: readonly number[];
  /** Text of a token; nothing for a control token. */
  textOf(id: number): string;
}

const allIds = -1;

/** Keeps a sequence to a grammar, its thinking aside. The end tokens are allowed where the grammar is complete, and only there. */
export class GrammarConstraint implements TokenConstraint {
  readonly #follower: GrammarFollower;
  readonly #vocabulary: ConstraintVocabulary;
  readonly #gate: ThinkingGate | undefined;
  readonly #masked: Float32Array;
  #pending: Promise<void> = Promise.resolve();
  #isDisposed = false;

  constructor(follower: GrammarFollower, vocabulary: ConstraintVocabulary, gate: ThinkingGate | undefined) {
    this.#follower = follower;
    this.#vocabulary = vocabulary;
    this.#gate = gate;
    this.#masked = new Float32Array(vocabulary.size);
  }

  ready(): Promise<void> {
    return this.#pending;
  }

  masked(logits: Float32Array): Float32Array {
    this.#masked.set(logits);
    if (this.#gate?.state === 'inside') {
      // An answer that ends within its thinking would have no JSON at all.
      this.#vocabulary.endIds.forEach((id) => (this.#masked[id] = -Infinity));
      return this.#masked;
    }
    // In the middle of the opening tag only the rest of it may follow.
    const mask = this.#gate?.state === 'opening' ? undefined : this.#follower.mask;
    for (let word = 0; word * 32 < logits.length; word++) {
      const bits = mask?.[word] ?? 0;
      if (bits === allIds) {
        continue;
      }
      const end = Math.min(logits.length, word * 32 + 32);
      for (let id = word * 32; id < end; id++) {
        if (((bits >>> (id & 31)) & 1) === 0 && !this.#opensThinking(id)) {
          this.#masked[id] = -Infinity;
        }
      }
    }
    return this.#masked;
  }

  accept(id: number): void {
    const gate = this.#gate;
    const text = gate === undefined || gate.state === 'over' ? '' : this.#vocabulary.textOf(id);
    if (gate?.state === 'inside' || this.#opensThinking(id)) {
      const rest = gate?.push(text).trimStart() ?? '';
      if (rest !== '') {
        this.#wait(this.#follower.acceptText(rest));
      }
      return;
    }
    if (text.trim() !== '') {
      gate?.skip();
    }
    this.#wait(this.#follower.acceptToken(id));
  }

  [Symbol.dispose](): void {
    if (!this.#isDisposed) {
      this.#isDisposed = true;
      this.#follower.close();
    }
  }

  #opensThinking(id: number): boolean {
    const state = this.#gate?.state;
    return (state === 'before' || state === 'opening') && this.#gate?.opensWith(this.#vocabulary.textOf(id)) === true;
  }

  #wait(accepted: Promise<void>): void {
    this.#pending = accepted;
    // An error is for those who wait for it; after the last token nobody does.
    accepted.catch(() => undefined);
  }
}
