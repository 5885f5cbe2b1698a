// Splits the text of an answer into content, thinking and tool calls, while it streams.
import { randomInt } from 'node:crypto';
import type { ToolCall } from '../../api/index.js';
import {
  createToolCallParser,
  ThinkingParser,
  type ThinkingTags,
  type ToolCallFormat,
  type ToolCallParser,
} from '../../template/index.js';

export interface OutputPiece {
  readonly content: string;
  readonly thinking: string;
  readonly toolCalls: readonly ToolCall[];
}

export interface OutputParserOptions {
  /** The rendered prompt: some templates open the thinking themselves. */
  readonly prompt: string;
  /** Absent when the answer is not split into thinking and content. */
  readonly thinkingTags?: ThinkingTags;
  /** Absent when the request declares no tools. */
  readonly tools?: { readonly format: ToolCallFormat; readonly names: readonly string[] };
}

const idAlphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

function toolCallId(): string {
  return `call_${Array.from({ length: 8 }, () => idAlphabet[randomInt(idAlphabet.length)]).join('')}`;
}

export class OutputParser {
  readonly #thinking: ThinkingParser | undefined;
  readonly #tools: ToolCallParser | undefined;
  #numCalls = 0;

  constructor({ prompt, thinkingTags, tools }: OutputParserOptions) {
    this.#thinking = thinkingTags === undefined ? undefined : new ThinkingParser(thinkingTags, prompt);
    this.#tools = tools === undefined ? undefined : createToolCallParser(tools.format, tools.names);
  }

  push(text: string): OutputPiece {
    const split = this.#thinking?.push(text) ?? { thinking: '', content: text };
    return this.#withTools(split.thinking, split.content, false);
  }

  /** What is still held when the answer ends. */
  flush(): OutputPiece {
    const split = this.#thinking?.flush() ?? { thinking: '', content: '' };
    return this.#withTools(split.thinking, split.content, true);
  }

  #withTools(thinking: string, content: string, isLast: boolean): OutputPiece {
    if (this.#tools === undefined) {
      return { content, thinking, toolCalls: [] };
    }
    const pieces = [this.#tools.push(content), ...(isLast ? [this.#tools.flush()] : [])];
    const calls = pieces.flatMap((piece) => piece.calls);
    const toolCalls = calls.map(({ name, arguments: args }) => ({
      id: toolCallId(),
      function: { index: this.#numCalls++, name, arguments: { ...args } },
    }));
    return { content: pieces.map((piece) => piece.text).join(''), thinking, toolCalls };
  }
}
