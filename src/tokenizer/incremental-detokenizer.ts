import type { DecodeOptions, Tokenizer } from './tokenizer.js';

/**
 * Turns ids into text as they come. Each piece of text is final: bytes of an unfinished UTF-8 character are held until it is
 * complete or can no longer become one (then they are U+FFFD). All pieces together equal `tokenizer.decode(ids, options)`.
 */
export class IncrementalDetokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #renderControl: boolean;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #mayDropSpace: boolean;

  constructor(tokenizer: Tokenizer, options: DecodeOptions = {}) {
    this.#tokenizer = tokenizer;
    this.#renderControl = options.renderControl ?? false;
    this.#mayDropSpace = tokenizer.hasSpacePrefix && options.isContinuation !== true;
  }

  /** Text that became final with this id; often the whole token, sometimes nothing. Throws TarsError BAD_REQUEST. */
  push(id: number): string {
    const text = this.#decoder.decode(this.#tokenizer.tokenBytes(id, this.#renderControl), { stream: true });
    if (!this.#mayDropSpace || text === '') {
      return text;
    }
    this.#mayDropSpace = false;
    return text.startsWith(' ') ? text.slice(1) : text;
  }

  /** Ends the text: an unfinished character becomes U+FFFD. The detokenizer can be used again afterwards. */
  flush(): string {
    return this.#decoder.decode();
  }
}
