import { formatGoDuration } from '../../config/index.js';
import type { TextOutput } from '../context.js';
import type { GenerationMetrics } from '../wire.js';
import { WordWrapper } from './word-wrapper.js';

export interface AnswerPrinterOptions {
  readonly isThinkingHidden: boolean;
  readonly isWordWrapped: boolean;
}

/** Prints one streamed answer: thinking between its two marker lines, then the text. */
export class AnswerPrinter {
  readonly #output: TextOutput;
  readonly #options: AnswerPrinterOptions;
  readonly #wrapper: WordWrapper;
  #state: 'start' | 'thinking' | 'answering' = 'start';
  #thinking = '';
  #text = '';

  constructor(output: TextOutput, options: AnswerPrinterOptions) {
    this.#output = output;
    this.#options = options;
    this.#wrapper = new WordWrapper(options.isWordWrapped && output.isTTY === true ? (output.columns ?? 0) : 0);
  }

  /** Everything answered so far, for the next turn of a chat. */
  get text(): string {
    return this.#text;
  }

  get thinking(): string {
    return this.#thinking;
  }

  push(piece: { readonly thinking?: string; readonly text?: string }): void {
    const { thinking = '', text = '' } = piece;
    if (thinking !== '') {
      this.#thinking += thinking;
      if (!this.#options.isThinkingHidden) {
        if (this.#state === 'start') {
          this.#output.write(this.#grey('Thinking...\n'));
          this.#state = 'thinking';
        }
        this.#output.write(this.#grey(this.#wrapper.push(thinking)));
      }
    }
    if (text !== '') {
      this.#endThinking();
      this.#state = 'answering';
      this.#text += text;
      this.#output.write(this.#wrapper.push(text));
    }
  }

  /** Closes the thinking block of an answer that was cut off in it. */
  finish(): void {
    this.#endThinking();
  }

  #endThinking(): void {
    if (this.#state === 'thinking') {
      this.#output.write(this.#grey(`${this.#wrapper.push(this.#thinking.endsWith('\n') ? '' : '\n')}...done thinking.\n\n`));
      this.#state = 'answering';
    }
  }

  #grey(text: string): string {
    return this.#output.isTTY === true && text !== '' ? `\x1b[90m${text}\x1b[0m` : text;
  }
}

function rate(count: number, durationNs: number): string {
  return `${(count / (durationNs / 1e9)).toFixed(2)} tokens/s`;
}

/** The lines of `--verbose`. */
export function formatMetrics(metrics: GenerationMetrics): string {
  const duration = (nanoseconds: number): string => formatGoDuration(nanoseconds / 1e6);
  const rows: [string, string][] = [];
  const add = (label: string, value: number | undefined, text: (value: number) => string): void => {
    if (value !== undefined && value > 0) {
      rows.push([label, text(value)]);
    }
  };
  const { prompt_eval_count: promptTokens = 0, eval_count: tokens = 0 } = metrics;
  add('total duration', metrics.total_duration, duration);
  add('load duration', metrics.load_duration, duration);
  add('prompt eval count', promptTokens, (count) => `${count} token(s)`);
  add('prompt eval duration', metrics.prompt_eval_duration, duration);
  add('prompt eval rate', metrics.prompt_eval_duration, (durationNs) => rate(promptTokens, durationNs));
  add('eval count', tokens, (count) => `${count} token(s)`);
  add('eval duration', metrics.eval_duration, duration);
  add('eval rate', metrics.eval_duration, (durationNs) => rate(tokens, durationNs));
  return rows.map(([label, text]) => `${`${label}:`.padEnd(22)}${text}\n`).join('');
}
