// Breaks streamed text at word borders. Text is shown at once; a word that turns out too long for its line is taken back.

const margin = 5;
const minColumns = 10;

/** East Asian wide characters and emoji take two columns. */
const wide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Extended_Pictographic}\uff01-\uff60]/u;

export class WordWrapper {
  readonly #columns: number;
  #column = 0;
  #word = '';

  /** `columns` is the width of the terminal; a very narrow one (or 0) turns wrapping off. */
  constructor(columns: number) {
    this.#columns = columns;
  }

  /** What to write to the terminal for the next piece of text. */
  push(text: string): string {
    if (this.#columns < minColumns) {
      return text;
    }
    let output = '';
    for (const char of text) {
      output += this.#pushChar(char);
    }
    return output;
  }

  #pushChar(char: string): string {
    if (char === '\n' || char === '\r') {
      this.#column = 0;
      this.#word = '';
      return char;
    }
    const isWide = wide.test(char);
    let breaking = '';
    if (this.#column + 1 > this.#columns - margin) {
      if (this.#word.length > this.#columns - 2 * margin) {
        this.#word = ''; // longer than a line: let the terminal break it
        this.#column = 0;
        return char;
      }
      breaking = `${this.#word === '' ? '' : `\x1b[${this.#word.length}D`}\x1b[K\n${this.#word}`;
      this.#column = this.#word.length;
    }
    const isBlank = char === ' ' || char === '\t';
    if (breaking !== '' && isBlank && this.#word === '') {
      return breaking; // no blank at the start of a line
    }
    this.#column += isWide ? 2 : 1;
    this.#word = isBlank || isWide ? '' : this.#word + char;
    return breaking + char;
  }
}
