/** Longest piece that is remembered, in UTF-16 units: longer ones hardly ever come back. */
const maxWordLength = 64;
/** Pieces remembered before the cache starts afresh; about 8 MB at the usual 5 characters and 1.3 ids a piece. */
const capacity = 50_000;

/** Remembers the ids of pieces of text: in natural text nine pieces of ten have been seen before. */
export class WordCache {
  readonly #words = new Map<string, readonly number[]>();

  /** Ids of a piece, computed by `encode` the first time. */
  get(piece: string, encode: (piece: string) => readonly number[]): readonly number[] {
    if (piece.length > maxWordLength) {
      return encode(piece);
    }
    let ids = this.#words.get(piece);
    if (ids === undefined) {
      ids = encode(piece);
      if (this.#words.size >= capacity) {
        this.#words.clear();
      }
      // A piece is a slice that would keep the whole prompt alive; the round trip makes a string of its own.
      this.#words.set(Buffer.from(piece, 'utf16le').toString('utf16le'), ids);
    }
    return ids;
  }
}
