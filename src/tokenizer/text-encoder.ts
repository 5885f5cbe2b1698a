/** Text between added tokens → ids. One implementation per kind of vocabulary. */
export interface TextEncoder {
  /**
   * `text` is well-formed UTF-16. `isAfterToken` is true at the start of the input and right after an added token.
   * Appends to `ids`.
   */
  encode(text: string, isAfterToken: boolean, ids: number[]): void;
}
