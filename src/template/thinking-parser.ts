import { partialTagLength } from './partial-tag.js';

export interface ThinkingTags {
  readonly open: string;
  readonly close: string;
}

export interface ThinkingPiece {
  readonly thinking: string;
  readonly content: string;
}

/** Tags of models that name none of their own. */
export const defaultThinkingTags: ThinkingTags = { open: '<think>', close: '</think>' };

type State = 'beforeOpening' | 'afterOpening' | 'thinking' | 'afterClosing' | 'content';

/**
 * Splits a streamed answer into thinking and content. The opening tag counts only as the first thing that is not blank;
 * blanks after either tag are dropped; the beginning of a tag is held back until it is complete or broken.
 */
export class ThinkingParser {
  readonly #tags: ThinkingTags;
  #state: State;
  #held = '';

  /** `prompt`: the rendered prompt; if it ends with the opening tag the answer begins inside the thinking. */
  constructor(tags: ThinkingTags = defaultThinkingTags, prompt = '') {
    this.#tags = tags;
    this.#state = prompt.trimEnd().endsWith(tags.open) ? 'afterOpening' : 'beforeOpening';
  }

  push(text: string): ThinkingPiece {
    this.#held += text;
    let thinking = '';
    let content = '';
    // Each state either hands the rest to the next one or keeps what it cannot decide yet.
    for (let before: State | undefined; before !== this.#state;) {
      before = this.#state;
      switch (before) {
        case 'beforeOpening':
          this.#findOpening();
          break;
        case 'afterOpening':
          this.#skipBlanks('thinking');
          break;
        case 'thinking':
          thinking += this.#takeThinking();
          break;
        case 'afterClosing':
          this.#skipBlanks('content');
          break;
        case 'content':
          content += this.#held;
          this.#held = '';
          break;
      }
    }
    return { thinking, content };
  }

  /** What is still held when the answer ends. */
  flush(): ThinkingPiece {
    const held = this.#held;
    this.#held = '';
    if (this.#state === 'thinking') {
      return { thinking: held, content: '' };
    }
    return { thinking: '', content: this.#state === 'beforeOpening' ? held : '' };
  }

  #findOpening(): void {
    const text = this.#held.trimStart();
    if (text.startsWith(this.#tags.open)) {
      this.#held = text.slice(this.#tags.open.length);
      this.#state = 'afterOpening';
    } else if (!this.#tags.open.startsWith(text)) {
      this.#state = 'content';
    }
  }

  #skipBlanks(next: State): void {
    this.#held = this.#held.trimStart();
    if (this.#held !== '') {
      this.#state = next;
    }
  }

  #takeThinking(): string {
    const end = this.#held.indexOf(this.#tags.close);
    if (end !== -1) {
      const thinking = this.#held.slice(0, end);
      this.#held = this.#held.slice(end + this.#tags.close.length);
      this.#state = 'afterClosing';
      return thinking;
    }
    const heldFrom = this.#held.length - partialTagLength(this.#held, this.#tags.close);
    const thinking = this.#held.slice(0, heldFrom);
    this.#held = this.#held.slice(heldFrom);
    return thinking;
  }
}
