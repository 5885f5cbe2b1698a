// Finds the first JSON value of a body and says what is wrong with it in the words of Go's encoding/json.
import { TarsError } from '../errors/index.js';

const code = (character: string): number => character.charCodeAt(0);
const quote = code('"');
const backslash = code('\\');

/** Nesting that Go refuses; it also bounds every recursion over a decoded value. */
const maxDepth = 10_000;

function syntaxError(reason: string): TarsError {
  return new TarsError('BAD_REQUEST', { reason });
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** A byte as Go's scanner quotes it: `'b'`, `'\''`, `'"'`, `'\n'`, and bytes above 127 as Latin-1 characters. */
function quoteByte(byte: number): string {
  if (byte === code("'")) {
    return "'\\''";
  }
  if (byte === quote) {
    return `'"'`;
  }
  if (byte === backslash) {
    return `'\\\\'`;
  }
  const named: Readonly<Record<number, string>> = { 7: 'a', 8: 'b', 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r' };
  if (named[byte] !== undefined) {
    return `'\\${named[byte]}'`;
  }
  if (byte < 0x20 || byte === 0x7f) {
    return `'\\x${byte.toString(16).padStart(2, '0')}'`;
  }
  if ((byte >= 0x80 && byte <= 0xa0) || byte === 0xad) {
    return `'\\u00${byte.toString(16)}'`;
  }
  return `'${String.fromCharCode(byte)}'`;
}

/** Walks one value without recursion, so that hostile nesting costs an array and not the stack. */
class ValueScanner {
  readonly #body: Uint8Array;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#body = body;
  }

  /** Offset just behind the value. */
  scan(): number {
    const open: ('object' | 'array')[] = [];
    this.#skipSpace();
    if (this.#at >= this.#body.length) {
      throw syntaxError('EOF');
    }
    let isValueDue = true;
    for (;;) {
      if (isValueDue) {
        isValueDue = this.#value(open);
      } else if (open.length === 0) {
        return this.#at;
      } else {
        isValueDue = this.#afterValue(open);
      }
    }
  }

  /** Takes a scalar (false: no value is due) or opens a container (true unless it is empty). */
  #value(open: ('object' | 'array')[]): boolean {
    const byte = this.#next();
    switch (byte) {
      case code('{'):
        return this.#open(open, 'object', code('}'));
      case code('['):
        return this.#open(open, 'array', code(']'));
      case quote:
        this.#string();
        return false;
      case code('t'):
        this.#literal('true');
        return false;
      case code('f'):
        this.#literal('false');
        return false;
      case code('n'):
        this.#literal('null');
        return false;
      default:
        if (byte !== code('-') && !isDigit(byte)) {
          throw this.#invalid(byte, 'looking for beginning of value');
        }
        this.#number(byte);
        return false;
    }
  }

  #open(open: ('object' | 'array')[], kind: 'object' | 'array', closing: number): boolean {
    open.push(kind);
    if (open.length > maxDepth) {
      throw syntaxError('exceeded max depth');
    }
    this.#skipSpace();
    if (this.#body[this.#at] === closing) {
      this.#at++;
      open.pop();
      return false;
    }
    if (kind === 'object') {
      this.#key('looking for beginning of object key string');
    }
    return true;
  }

  /** After a value inside a container: `,` (another value is due) or the closing bracket. */
  #afterValue(open: ('object' | 'array')[]): boolean {
    const kind = open.at(-1);
    const byte = this.#next();
    if (byte === code(kind === 'object' ? '}' : ']')) {
      open.pop();
      return false;
    }
    if (byte !== code(',')) {
      throw this.#invalid(byte, kind === 'object' ? 'after object key:value pair' : 'after array element');
    }
    if (kind === 'object') {
      this.#key('looking for beginning of object key string');
    }
    return true;
  }

  #key(context: string): void {
    const byte = this.#next();
    if (byte !== quote) {
      throw this.#invalid(byte, context);
    }
    this.#string();
    const colon = this.#next();
    if (colon !== code(':')) {
      throw this.#invalid(colon, 'after object key');
    }
  }

  #string(): void {
    for (;;) {
      const byte = this.#take();
      if (byte === quote) {
        return;
      }
      if (byte < 0x20) {
        throw this.#invalid(byte, 'in string literal');
      }
      if (byte === backslash) {
        this.#escape();
      }
    }
  }

  #escape(): void {
    const byte = this.#take();
    if (byte === code('u')) {
      for (let i = 0; i < 4; i++) {
        const digit = this.#take();
        if (!/[0-9a-fA-F]/.test(String.fromCharCode(digit))) {
          throw this.#invalid(digit, 'in \\u hexadecimal character escape');
        }
      }
    } else if (!'"\\/bfnrt'.includes(String.fromCharCode(byte))) {
      throw this.#invalid(byte, 'in string escape code');
    }
  }

  #literal(word: string): void {
    for (let i = 1; i < word.length; i++) {
      const byte = this.#take();
      if (byte !== word.charCodeAt(i)) {
        throw this.#invalid(byte, `in literal ${word} (expecting ${quoteByte(word.charCodeAt(i))})`);
      }
    }
  }

  #number(first: number): void {
    let byte = first;
    if (byte === code('-')) {
      byte = this.#take();
      if (!isDigit(byte)) {
        throw this.#invalid(byte, 'in numeric literal');
      }
    }
    if (byte !== code('0')) {
      this.#digits();
    }
    if (this.#body[this.#at] === code('.')) {
      this.#at++;
      this.#requireDigit('after decimal point in numeric literal');
    }
    const exponent = this.#body[this.#at];
    if (exponent === code('e') || exponent === code('E')) {
      this.#at++;
      const sign = this.#body[this.#at];
      if (sign === code('+') || sign === code('-')) {
        this.#at++;
      }
      this.#requireDigit('in exponent of numeric literal');
    }
  }

  #requireDigit(context: string): void {
    const byte = this.#take();
    if (!isDigit(byte)) {
      throw this.#invalid(byte, context);
    }
    this.#digits();
  }

  #digits(): void {
    while (isDigit(this.#body[this.#at])) {
      this.#at++;
    }
  }

  #skipSpace(): void {
    while (this.#at < this.#body.length && isSpace(this.#body[this.#at] ?? 0)) {
      this.#at++;
    }
  }

  #next(): number {
    this.#skipSpace();
    return this.#take();
  }

  #take(): number {
    const byte = this.#body[this.#at];
    if (byte === undefined) {
      throw syntaxError('unexpected EOF');
    }
    this.#at++;
    return byte;
  }

  #invalid(byte: number, context: string): TarsError {
    return syntaxError(`invalid character ${quoteByte(byte)} ${context}`);
  }
}

/**
 * The first JSON value of a body; whatever follows it is ignored. Throws BAD_REQUEST with Go's texts, for example
 * `unexpected EOF` or `invalid character 'b' looking for beginning of object key string`. An empty body is `EOF`.
 */
export function parseGoJson(body: Uint8Array): unknown {
  const end = new ValueScanner(body).scan();
  return JSON.parse(Buffer.from(body.buffer, body.byteOffset, end).toString('utf8')) as unknown;
}
