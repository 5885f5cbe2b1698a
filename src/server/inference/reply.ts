// What an operation gives back: one object, or chunks of which the last one is `done`.

export type Reply<T> =
  | { readonly kind: 'single'; readonly body: T }
  | {
      readonly kind: 'stream';
      readonly chunks: AsyncGenerator<T>;
      /** Joins all chunks into the one object of a reply that is not streamed. */
      readonly join: (chunks: readonly T[]) => T;
    };
