/** A map that forgets the entry that was used longest ago when it holds more than `maxEntries`. */
export class RecentMap<V> {
  readonly #entries = new Map<string, V>();
  readonly #maxEntries: number;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  set(key: string, value: V): void {
    this.#entries.set(key, value);
    const oldest = this.#entries.size > this.#maxEntries ? this.#entries.keys().next() : undefined;
    if (oldest !== undefined && oldest.done !== true) {
      this.#entries.delete(oldest.value);
    }
  }
}
