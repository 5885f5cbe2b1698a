// What an operation gives back: one object, or chunks of which the last one is `done`.

/** Does its work and hands over what comes of it, piece by piece. Rejects when it fails, whatever was handed over before. */
export type Producer<T> = (emit: (item: T) => void) => Promise<void>;

export type Reply<T> =
  | { readonly kind: 'single'; readonly body: T }
  | {
      readonly kind: 'stream';
      readonly produce: Producer<T>;
      /** Joins all chunks into the one object of a reply that is not streamed. */
      readonly join: (chunks: readonly T[]) => T;
    };
