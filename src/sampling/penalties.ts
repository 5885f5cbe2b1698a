import type { SamplingOptions } from './options.js';

/**
 * Repeat, frequency and presence penalties over the latest tokens, as llama.cpp computes them. Changes only the logits of
 * tokens in the window and can put them back, so that the caller's row stays the model's own.
 */
export class Penalties {
  readonly #repeat: number;
  readonly #frequency: number;
  readonly #presence: number;
  readonly #windowLength: number;
  readonly #counts = new Map<number, number>();
  /** Ring of the tokens in the window; it stays empty for an unbounded window, out of which nothing falls. */
  readonly #ring: number[] = [];
  #oldest = 0;
  #original: Float32Array = new Float32Array(64);

  constructor(options: SamplingOptions) {
    this.#repeat = options.repeatPenalty;
    this.#frequency = options.frequencyPenalty;
    this.#presence = options.presencePenalty;
    const isOff = options.repeatPenalty === 1 && options.frequencyPenalty === 0 && options.presencePenalty === 0;
    this.#windowLength = isOff ? 0 : options.repeatLastN < 0 ? Infinity : options.repeatLastN;
  }

  accept(id: number): void {
    if (this.#windowLength === 0) {
      return;
    }
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
    if (this.#windowLength === Infinity) {
      return;
    }
    if (this.#ring.length < this.#windowLength) {
      this.#ring.push(id);
      return;
    }
    this.#forget(this.#ring[this.#oldest] as number);
    this.#ring[this.#oldest] = id;
    this.#oldest = (this.#oldest + 1) % this.#windowLength;
  }

  apply(logits: Float32Array): void {
    if (this.#original.length < this.#counts.size) {
      this.#original = new Float32Array(this.#counts.size * 2);
    }
    let place = 0;
    for (const [id, count] of this.#counts) {
      const logit = logits[id] as number;
      this.#original[place++] = logit;
      const repeated = logit <= 0 ? logit * this.#repeat : logit / this.#repeat;
      logits[id] = repeated - count * this.#frequency - this.#presence;
    }
  }

  /** Undoes the last `apply`; no token may have been accepted in between. */
  restore(logits: Float32Array): void {
    let place = 0;
    for (const id of this.#counts.keys()) {
      logits[id] = this.#original[place++] as number;
    }
  }

  #forget(id: number): void {
    const count = (this.#counts.get(id) ?? 0) - 1;
    if (count > 0) {
      this.#counts.set(id, count);
    } else {
      this.#counts.delete(id);
    }
  }
}
