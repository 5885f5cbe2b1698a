// Status lines on stderr: rewritten in place on a terminal, one line for each new status otherwise.
import { humanBytes } from './format.js';
import type { TextOutput } from './context.js';
import type { ProgressLine } from './wire.js';

export class ProgressDisplay {
  readonly #output: TextOutput;
  #shown = '';

  constructor(output: TextOutput) {
    this.#output = output;
  }

  show({ status = '', total = 0, completed = 0 }: ProgressLine): void {
    if (this.#output.isTTY !== true) {
      if (status !== this.#shown) {
        this.#output.write(`${status}\n`);
      }
      this.#shown = status;
      return;
    }
    if (this.#shown !== '' && this.#shown !== status) {
      this.#output.write('\n');
    }
    this.#shown = status;
    const share = total > 0 ? ` ${Math.floor((100 * completed) / total)}% ${humanBytes(completed)}/${humanBytes(total)}` : '';
    this.#output.write(`\r\x1b[K${status}${share}`);
  }

  /** Leaves the cursor on a line of its own. */
  finish(): void {
    if (this.#output.isTTY === true && this.#shown !== '') {
      this.#output.write('\n');
    }
    this.#shown = '';
  }
}
