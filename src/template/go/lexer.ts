import { parseError } from './template-error.js';

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'field'
  | 'variable'
  | 'identifier'
  | 'dot'
  | 'number'
  | 'string'
  | 'character'
  | 'operator'
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Source text; for `text` after trimming. */
  readonly text: string;
  readonly position: number;
}

const blank = /[ \t\r\n]/;
const comment = /\/\*[^]*?\*\//y;
/** In order of trying. A dot counts as a field only with a name right after it. */
const patterns: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', /[ \t\r\n]+/y],
  ['operator', /:=|[=|,()]/y],
  [
    'number',
    /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)[\p{L}\p{Nd}_]*/uy,
  ],
  ['field', /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['dot', /\./y],
  ['variable', /\$[\p{L}\p{Nd}_]*/uy],
  ['identifier', /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['string', /"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`/y],
  ['character', /'(?:[^'\\\n]|\\[^\n])+'/y],
  // Any other printable character is a token that the parser finds out of place.
  ['operator', /[!#-&*-9;-@[-_a-~]/y],
];

/** Cuts a template into tokens; trim markers (`{{- -}}`) and comments are resolved here. Throws GoTemplateError. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  let trimsStart = false;
  for (;;) {
    const open = source.indexOf('{{', position);
    const trimsEnd = open !== -1 && source[open + 2] === '-' && blank.test(source.charAt(open + 3));
    pushText(tokens, source.slice(position, open === -1 ? undefined : open), position, trimsStart, trimsEnd);
    if (open === -1) {
      tokens.push({ kind: 'end', text: '', position: source.length });
      return tokens;
    }
    const inner = open + (trimsEnd ? 4 : 2);
    const close = source.startsWith('/*', inner) ? skipComment(source, inner) : pushAction(tokens, source, open, inner);
    trimsStart = close.trims;
    position = close.end;
  }
}

interface ActionEnd {
  readonly end: number;
  readonly trims: boolean;
}

function pushText(tokens: Token[], raw: string, position: number, trimsStart: boolean, trimsEnd: boolean): void {
  let text = trimsStart ? raw.replace(/^[ \t\r\n]+/, '') : raw;
  text = trimsEnd ? trimEnd(text) : text;
  if (text !== '') {
    tokens.push({ kind: 'text', text, position });
  }
}

/** Not a regular expression: one that is anchored at the end alone is quadratic on long blank runs. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && blank.test(text.charAt(end - 1))) {
    end--;
  }
  return text.slice(0, end);
}

function skipComment(source: string, start: number): ActionEnd {
  comment.lastIndex = start;
  const match = comment.exec(source);
  if (match === null) {
    throw parseError(source, start, 'unclosed comment');
  }
  const close = closeAt(source, comment.lastIndex);
  if (close === undefined) {
    throw parseError(source, start, 'comment ends before closing delimiter');
  }
  return close;
}

/** `}}`, or a blank, `-}}` with trimming, at a place. */
function closeAt(source: string, place: number): ActionEnd | undefined {
  if (blank.test(source.charAt(place)) && source.startsWith('-}}', place + 1)) {
    return { end: place + 4, trims: true };
  }
  return source.startsWith('}}', place) ? { end: place + 2, trims: false } : undefined;
}

function pushAction(tokens: Token[], source: string, open: number, start: number): ActionEnd {
  tokens.push({ kind: 'open', text: '{{', position: open });
  let depth = 0;
  for (let place = start; ;) {
    const close = closeAt(source, place);
    if (close !== undefined) {
      if (depth > 0) {
        throw parseError(source, place, 'unclosed left paren');
      }
      tokens.push({ kind: 'close', text: '}}', position: place });
      return close;
    }
    const token = nextToken(source, place);
    depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0;
    if (depth < 0) {
      throw parseError(source, place, 'unexpected right paren');
    }
    tokens.push(token);
    place += token.text.length;
  }
}

function nextToken(source: string, place: number): Token {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = place;
    const text = pattern.exec(source)?.[0];
    if (text !== undefined) {
      return { kind, text: kind === 'space' ? beforeTrimMarker(source, place, text) : text, position: place };
    }
  }
  throw parseError(source, place, complaint(source, place));
}

/** The last blank before `-}}` belongs to the marker. */
function beforeTrimMarker(source: string, place: number, text: string): string {
  return source.startsWith('-}}', place + text.length) && text.length > 1 ? text.slice(0, -1) : text;
}

function complaint(source: string, place: number): string {
  const character = String.fromCodePoint(source.codePointAt(place) ?? 0);
  if (place >= source.length) {
    return 'unclosed action';
  }
  switch (character) {
    case '"':
      return 'unterminated quoted string';
    case '`':
      return 'unterminated raw quoted string';
    case "'":
      return 'unterminated character constant';
    case ':':
      return 'expected :=';
    default:
      return `unrecognized character in action: ${unicodeName(character)}`;
  }
}

/** Go's `%#U`. */
function unicodeName(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `U+${code} '${character}'`;
}
