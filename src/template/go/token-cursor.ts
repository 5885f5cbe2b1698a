import { tokenize, type Token, type TokenKind } from './lexer.js';
import { parseError, type GoTemplateError } from './template-error.js';

/** Blocks and parentheses inside each other; deeper nesting would exhaust the stack of the parser and of the executor. */
const maxDepth = 200;

export const keywords: ReadonlySet<string> = new Set([
  'if',
  'else',
  'end',
  'range',
  'with',
  'define',
  'block',
  'template',
  'break',
  'continue',
]);

/** Where the parser is in its tokens, and Go's way to complain about it. */
export class TokenCursor {
  readonly source: string;
  readonly #tokens: readonly Token[];
  #place = 0;
  #depth = 0;

  constructor(source: string) {
    this.source = source;
    this.#tokens = tokenize(source);
  }

  get place(): number {
    return this.#place;
  }

  /** Goes back to an earlier place. */
  rewind(place: number): void {
    this.#place = place;
  }

  leave(): void {
    this.#depth--;
  }

  enter(): void {
    if (++this.#depth > maxDepth) {
      throw this.error(`more than ${maxDepth} blocks inside each other`);
    }
  }

  expectClose(context: string): void {
    this.skipSpace();
    const token = this.next();
    if (token.kind !== 'close') {
      throw this.unexpected(token, context);
    }
  }

  skipSpace(): void {
    while (this.peek().kind === 'space') {
      this.#place++;
    }
  }

  peek(): Token {
    return this.#tokens[Math.min(this.#place, this.#tokens.length - 1)] as Token;
  }

  next(): Token {
    const token = this.peek();
    this.#place++;
    return token;
  }

  tokenText(position: number): string {
    return this.#tokens.find((token) => token.position === position)?.text ?? '';
  }

  error(message: string): GoTemplateError {
    const last = this.#tokens[Math.min(Math.max(this.#place - 1, 0), this.#tokens.length - 1)] as Token;
    return parseError(this.source, last.position, message);
  }

  unexpected(token: Token, context: string): GoTemplateError {
    const names: Partial<Record<TokenKind, string>> = { end: 'EOF' };
    const isKeyword = token.kind === 'identifier' && keywords.has(token.text);
    const shown = names[token.kind] ?? (isKeyword ? `<${token.text}>` : JSON.stringify(token.text.slice(0, 10)));
    return parseError(this.source, token.position, `unexpected ${shown} in ${context}`);
  }
}
