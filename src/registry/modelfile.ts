// The Modelfile language: text → commands → text. Nothing here touches the file system.
import { TarsError } from '../errors/index.js';

export type ModelfileCommand =
  | { readonly keyword: TextKeyword; readonly value: string }
  | { readonly keyword: 'parameter'; readonly name: string; readonly value: string }
  | { readonly keyword: 'message'; readonly role: string; readonly value: string };

const textKeywords = ['from', 'license', 'template', 'system', 'adapter', 'draft', 'renderer', 'parser', 'requires'] as const;
export type TextKeyword = (typeof textKeywords)[number];

const messageRoles = new Set(['system', 'user', 'assistant']);

/** Controls, zero-width characters and exotic spaces are dropped, so that pasted text means what it looks like. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} \t\r\n]/gu;

const isBlank = (char: string | undefined): boolean => char === ' ' || char === '\t';
const isNewline = (char: string | undefined): boolean => char === '\n' || char === '\r';

/** Text of a Modelfile's bytes: UTF-8, or UTF-16 when a byte order mark says so. */
export function decodeModelfile(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding = first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

/** Walks the text once; each method reads one piece and leaves the position behind it. */
class ModelfileScanner {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  get line(): number {
    return this.#line;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Passes blanks, empty lines and comments. */
  skipToCommand(): void {
    while (!this.isAtEnd) {
      const char = this.#text[this.#at];
      if (char === '#') {
        while (!this.isAtEnd && !isNewline(this.#text[this.#at])) {
          this.#at++;
        }
      } else if (!isBlank(char) && !isNewline(char)) {
        return;
      } else {
        this.#advance();
      }
    }
  }

  /** The word up to the next blank, newline or end. */
  word(): string {
    const start = this.#at;
    while (!this.isAtEnd && !isBlank(this.#text[this.#at]) && !isNewline(this.#text[this.#at])) {
      this.#at++;
    }
    return this.#text.slice(start, this.#at);
  }

  /** True when a blank follows, that is, when a value can follow on this line. */
  get isBeforeBlank(): boolean {
    return isBlank(this.#text[this.#at]);
  }

  skipBlanks(): void {
    while (isBlank(this.#text[this.#at])) {
      this.#at++;
    }
  }

  /** The value up to the first newline at which no quote is open; undefined when a quote is never closed. */
  value(): string | undefined {
    this.skipBlanks();
    const start = this.#at;
    for (;;) {
      while (!this.isAtEnd && !isNewline(this.#text[this.#at])) {
        this.#at++;
      }
      const value = this.#unquote(start, this.#at);
      if (value !== undefined || this.isAtEnd) {
        return value;
      }
      this.#advance();
    }
  }

  #advance(): void {
    const char = this.#text[this.#at++];
    if (char === '\n' || (char === '\r' && this.#text[this.#at] !== '\n')) {
      this.#line++;
    }
  }

  /** Text between the quotes of [start, end), or the trimmed text when it has none; undefined while a quote is open. */
  #unquote(start: number, untrimmedEnd: number): string | undefined {
    let end = untrimmedEnd;
    while (end > start && (isBlank(this.#text[end - 1]) || isNewline(this.#text[end - 1]))) {
      end--;
    }
    if (!this.#text.startsWith('"', start)) {
      return this.#text.slice(start, end);
    }
    const quote = this.#text.startsWith('"""', start) ? '"""' : '"';
    const isClosed = end - start >= 2 * quote.length && this.#text.startsWith(quote, end - quote.length);
    return isClosed ? this.#text.slice(start + quote.length, end - quote.length) : undefined;
  }
}

function syntaxError(line: number, message: string): TarsError {
  return new TarsError('BAD_REQUEST', { reason: `(line ${line}): ${message}` });
}

function unexpectedEnd(): TarsError {
  return new TarsError('BAD_REQUEST', { reason: 'unexpected EOF' });
}

function isTextKeyword(word: string): word is TextKeyword {
  return (textKeywords as readonly string[]).includes(word);
}

function readValue(scanner: ModelfileScanner): string {
  const value = scanner.value();
  if (value === undefined) {
    throw unexpectedEnd();
  }
  return value;
}

/** The word after PARAMETER or MESSAGE; a value must follow it on the same line. */
function readKey(scanner: ModelfileScanner, pattern: RegExp): string {
  scanner.skipBlanks();
  const key = scanner.word();
  if (!pattern.test(key) || !scanner.isBeforeBlank) {
    throw unexpectedEnd();
  }
  return key;
}

function readCommand(scanner: ModelfileScanner): ModelfileCommand {
  const line = scanner.line;
  const keyword = scanner.word().toLowerCase();
  if (!scanner.isBeforeBlank && scanner.isAtEnd && (isTextKeyword(keyword) || keyword === 'parameter' || keyword === 'message')) {
    throw unexpectedEnd();
  }
  if (scanner.isBeforeBlank && isTextKeyword(keyword)) {
    return { keyword, value: readValue(scanner) };
  }
  if (scanner.isBeforeBlank && keyword === 'parameter') {
    return { keyword, name: readKey(scanner, /^\w+$/), value: readValue(scanner) };
  }
  if (scanner.isBeforeBlank && keyword === 'message') {
    const role = readKey(scanner, /^[A-Za-z]+$/);
    if (!messageRoles.has(role)) {
      throw syntaxError(line, 'message role must be one of "system", "user", or "assistant"');
    }
    return { keyword, role, value: readValue(scanner) };
  }
  throw syntaxError(
    line,
    'command must be one of "from", "license", "template", "system", "adapter", "draft", "renderer", "parser", "parameter", "message", or "requires"',
  );
}

/**
 * Commands of a Modelfile in order. Throws BAD_REQUEST with Ollama's texts: `(line N): command must be one of …`,
 * `(line N): message role must be …`, `unexpected EOF`, `no FROM line`.
 */
export function parseModelfile(text: string): readonly ModelfileCommand[] {
  const scanner = new ModelfileScanner(text.replace(unprintable, ''));
  const commands: ModelfileCommand[] = [];
  for (scanner.skipToCommand(); !scanner.isAtEnd; scanner.skipToCommand()) {
    commands.push(readCommand(scanner));
  }
  if (!commands.some((command) => command.keyword === 'from')) {
    throw new TarsError('BAD_REQUEST', { reason: 'no FROM line' });
  }
  return commands;
}

/** Quotes only what would be read back differently without quotes. */
function quote(value: string): string {
  const needsQuotes = /[\r\n]|^[ \t"]|[ \t]$/.test(value);
  if (!needsQuotes) {
    return value;
  }
  return value.includes('"') ? `"""${value}"""` : `"${value}"`;
}

export function formatCommand(command: ModelfileCommand): string {
  switch (command.keyword) {
    case 'parameter':
      return `PARAMETER ${command.name} ${quote(command.value)}`;
    case 'message':
      return `MESSAGE ${command.role} ${quote(command.value)}`;
    default:
      return `${command.keyword.toUpperCase()} ${command.keyword === 'from' ? command.value : quote(command.value)}`;
  }
}

export function formatModelfile(commands: readonly ModelfileCommand[]): string {
  return commands.map((command) => `${formatCommand(command)}\n`).join('');
}
