export interface StopResult {
  /** Text that is certain to come before any stop string. */
  readonly text: string;
  /** The stop string that was found; nothing may be pushed after it. */
  readonly stop?: string;
}

/**
 * Finds stop strings in text that comes in pieces, and holds back an end that may yet become one. The stop string that is
 * complete first wins, the longest of those that end at the same place, so that the cut of the pieces makes no difference.
 * An empty stop string ends with the first piece and lets nothing out.
 */
export class StopMatcher {
  readonly #stops: readonly string[];
  #held = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  push(piece: string): StopResult {
    const text = this.#held + piece;
    const found = this.#findFirst(text);
    if (found !== undefined) {
      this.#held = '';
      return { text: text.slice(0, found.start), stop: found.stop };
    }
    const heldFrom = text.length - this.#longestBeginning(text);
    this.#held = text.slice(heldFrom);
    return { text: text.slice(0, heldFrom) };
  }

  /** Text still held, when the generation ended without a stop string. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  #findFirst(text: string): { start: number; stop: string } | undefined {
    let first: { start: number; stop: string } | undefined;
    let firstEnd = Infinity;
    for (const stop of this.#stops) {
      const start = text.indexOf(stop);
      const end = start + stop.length;
      if (start !== -1 && (end < firstEnd || (end === firstEnd && start < (first?.start ?? 0)))) {
        first = { start, stop };
        firstEnd = end;
      }
    }
    return first;
  }

  /** Length of the longest end of the text that begins a stop string. */
  #longestBeginning(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) {
          longest = length;
        }
      }
    }
    return longest;
  }
}
