import type { PairTable } from './pair-table.js';

/** Up to this many symbols a scan for the best pair beats the heap; beyond it the scan would be quadratic. */
const scanLimit = 32;

/**
 * Applies merge rules to a list of symbols: always the pair of lowest priority next, the leftmost of equals.
 * Working memory is kept between calls and grows to the longest list seen.
 */
export class Merger {
  readonly #rules: PairTable;
  #ids = new Int32Array(256);
  #next = new Int32Array(256);
  #previous = new Int32Array(256);
  // Binary heap of candidate pairs: priority, place of the left symbol, and both ids to recognise outdated entries.
  #heapPriority = new Float64Array(512);
  #heapLeft = new Int32Array(512);
  #heapLeftId = new Int32Array(512);
  #heapRightId = new Int32Array(512);
  #heapLength = 0;

  constructor(rules: PairTable) {
    this.#rules = rules;
  }

  /** Merged symbols; `symbols` itself is not changed. Negative ids never merge. O(n log n). */
  merge(symbols: readonly number[]): number[] {
    return symbols.length <= scanLimit ? this.#mergeByScan([...symbols]) : this.#mergeByHeap(symbols);
  }

  #mergeByScan(symbols: number[]): number[] {
    while (symbols.length > 1) {
      let best = -1;
      let bestPlace = -1;
      let bestPriority = Infinity;
      for (let i = 0; i + 1 < symbols.length; i++) {
        const place = this.#find(symbols[i] as number, symbols[i + 1] as number);
        if (place !== -1 && this.#rules.priorityAt(place) < bestPriority) {
          best = i;
          bestPlace = place;
          bestPriority = this.#rules.priorityAt(place);
        }
      }
      if (best === -1) {
        break;
      }
      symbols.splice(best, 2, this.#rules.mergedAt(bestPlace));
    }
    return symbols;
  }

  #mergeByHeap(symbols: readonly number[]): number[] {
    this.#load(symbols);
    while (this.#heapLength > 0) {
      const left = this.#heapLeft[0] as number;
      const leftId = this.#heapLeftId[0] as number;
      const rightId = this.#heapRightId[0] as number;
      this.#removeTop();
      const right = this.#next[left] as number;
      // Consumed symbols carry the id -2, so an entry is current exactly when both ids still stand side by side.
      if (this.#ids[left] !== leftId || right === -1 || this.#ids[right] !== rightId) {
        continue;
      }
      this.#join(left, right, this.#rules.mergedAt(this.#rules.find(leftId, rightId)));
    }
    const merged: number[] = [];
    for (let i = 0; i !== -1; i = this.#next[i] as number) {
      merged.push(this.#ids[i] as number);
    }
    return merged;
  }

  #load(symbols: readonly number[]): void {
    const length = symbols.length;
    if (this.#ids.length < length) {
      this.#ids = new Int32Array(length * 2);
      this.#next = new Int32Array(length * 2);
      this.#previous = new Int32Array(length * 2);
    }
    this.#heapLength = 0;
    for (let i = 0; i < length; i++) {
      this.#ids[i] = symbols[i] as number;
      this.#previous[i] = i - 1;
      this.#next[i] = i + 1 < length ? i + 1 : -1;
    }
    for (let i = 0; i + 1 < length; i++) {
      this.#consider(i, i + 1);
    }
  }

  #join(left: number, right: number, merged: number): void {
    this.#ids[left] = merged;
    this.#ids[right] = -2;
    const after = this.#next[right] as number;
    this.#next[left] = after;
    if (after !== -1) {
      this.#previous[after] = left;
      this.#consider(left, after);
    }
    const before = this.#previous[left] as number;
    if (before !== -1) {
      this.#consider(before, left);
    }
  }

  #find(left: number, right: number): number {
    return left < 0 || right < 0 ? -1 : this.#rules.find(left, right);
  }

  #consider(left: number, right: number): void {
    const leftId = this.#ids[left] as number;
    const rightId = this.#ids[right] as number;
    const place = this.#find(leftId, rightId);
    if (place === -1) {
      return;
    }
    if (this.#heapLength === this.#heapLeft.length) {
      this.#growHeap();
    }
    this.#siftUp(this.#heapLength++, this.#rules.priorityAt(place), left, leftId, rightId);
  }

  #growHeap(): void {
    const grown = this.#heapLeft.length * 2;
    const copy = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(grown);
      to.set(from);
      return to;
    };
    const priorities = new Float64Array(grown);
    priorities.set(this.#heapPriority);
    this.#heapPriority = priorities;
    this.#heapLeft = copy(this.#heapLeft);
    this.#heapLeftId = copy(this.#heapLeftId);
    this.#heapRightId = copy(this.#heapRightId);
  }

  #siftUp(start: number, priority: number, left: number, leftId: number, rightId: number): void {
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#isBefore(priority, left, parent)) {
        break;
      }
      this.#copyEntry(parent, place);
      place = parent;
    }
    this.#writeEntry(place, priority, left, leftId, rightId);
  }

  #removeTop(): void {
    const last = --this.#heapLength;
    const priority = this.#heapPriority[last] as number;
    const left = this.#heapLeft[last] as number;
    const leftId = this.#heapLeftId[last] as number;
    const rightId = this.#heapRightId[last] as number;
    let place = 0;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= last) {
        break;
      }
      const other = child + 1;
      if (other < last && this.#isBefore(this.#heapPriority[other] as number, this.#heapLeft[other] as number, child)) {
        child = other;
      }
      if (!this.#isBefore(this.#heapPriority[child] as number, this.#heapLeft[child] as number, -1, priority, left)) {
        break;
      }
      this.#copyEntry(child, place);
      place = child;
    }
    this.#writeEntry(place, priority, left, leftId, rightId);
  }

  /** Whether (priority, left) goes before the heap entry `place`, or before the pair given instead of it. */
  #isBefore(
    priority: number,
    left: number,
    place: number,
    otherPriority: number = this.#heapPriority[place] as number,
    otherLeft: number = this.#heapLeft[place] as number,
  ): boolean {
    return priority < otherPriority || (priority === otherPriority && left < otherLeft);
  }

  #copyEntry(from: number, to: number): void {
    this.#heapPriority[to] = this.#heapPriority[from] as number;
    this.#heapLeft[to] = this.#heapLeft[from] as number;
    this.#heapLeftId[to] = this.#heapLeftId[from] as number;
    this.#heapRightId[to] = this.#heapRightId[from] as number;
  }

  #writeEntry(place: number, priority: number, left: number, leftId: number, rightId: number): void {
    this.#heapPriority[place] = priority;
    this.#heapLeft[place] = left;
    this.#heapLeftId[place] = leftId;
    this.#heapRightId[place] = rightId;
  }
}
