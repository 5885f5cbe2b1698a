export interface ThinkingTags {
  readonly open: string;
  readonly close: string;
}

/**
 * Follows an answer through its thinking, so that only the rest has to keep to a grammar. Thinking begins with the opening tag,
 * as the first thing that is not blank, or inside the prompt.
 */
export class ThinkingGate {
  readonly #tags: ThinkingTags;
  #state: 'before' | 'opening' | 'inside' | 'over';
  #text = '';

  constructor(tags: ThinkingTags, isInside: boolean) {
    this.#tags = tags;
    this.#state = isInside ? 'inside' : 'before';
  }

  get state(): 'before' | 'opening' | 'inside' | 'over' {
    return this.#state;
  }

  /** Whether this text, coming next, is a part of the opening tag. */
  opensWith(text: string): boolean {
    const whole = this.#text + (this.#text === '' ? text.trimStart() : text);
    const isComing = this.#state === 'before' || this.#state === 'opening';
    return isComing && text.trim() !== '' && (this.#tags.open.startsWith(whole) || whole.startsWith(this.#tags.open));
  }

  /** The answer goes on without thinking. */
  skip(): void {
    this.#state = 'over';
  }

  /** Takes a text that opens the thinking or is inside it; returns what of it stands behind the closing tag. */
  push(text: string): string {
    this.#text += this.#text === '' ? text.trimStart() : text;
    if (this.#state !== 'inside') {
      this.#state = this.#text.startsWith(this.#tags.open) ? 'inside' : 'opening';
      this.#text = this.#state === 'inside' ? this.#text.slice(this.#tags.open.length) : this.#text;
    }
    const place = this.#state === 'inside' ? this.#text.indexOf(this.#tags.close) : -1;
    if (place >= 0) {
      this.#state = 'over';
      return this.#text.slice(place + this.#tags.close.length);
    }
    if (this.#state === 'inside') {
      this.#text = this.#text.slice(-this.#tags.close.length);
    }
    return '';
  }
}
