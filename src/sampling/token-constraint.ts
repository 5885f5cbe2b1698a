/** Decides which tokens a sequence may go on with. One for each sequence; it knows what was generated so far. */
export interface TokenConstraint extends Disposable {
  /** Settles when `masked` knows about the token that was accepted last. */
  ready(): Promise<void>;
  /** The row of raw scores [vocabulary] with -Infinity for every token that is not allowed. The given row stays as it is. */
  masked(logits: Float32Array): Float32Array;
  /** The token that was picked. */
  accept(id: number): void;
}
