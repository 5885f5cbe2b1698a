const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

const escape = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([^]))/g;

/** Text of a Go string literal with its quotes, or undefined when an escape in it is not Go's. */
export function unquote(literal: string): string | undefined {
  const body = literal.slice(1, -1);
  if (literal.startsWith('`')) {
    return body.replaceAll('\r', '');
  }
  let isValid = true;
  const text = body.replace(escape, (_, hex?: string, short?: string, long?: string, octal?: string, simple?: string) => {
    const digits = hex ?? short ?? long;
    const code = digits !== undefined ? Number.parseInt(digits, 16) : octal !== undefined ? Number.parseInt(octal, 8) : undefined;
    if (code !== undefined && code <= 0x10ffff) {
      return String.fromCodePoint(code);
    }
    const character = simpleEscapes[simple ?? ''];
    isValid &&= character !== undefined;
    return character ?? '';
  });
  return isValid ? text : undefined;
}

/** Text as a Go string literal (`%q`). */
export function quote(text: string): string {
  const body = text.replace(/[\\"\p{Cc}]/gu, (character) => {
    const code = character.charCodeAt(0);
    const short = '\x07\b\f\n\r\t\v\\"'.indexOf(character);
    return short === -1 ? controlEscape(code) : `\\${'abfnrtv\\"'.charAt(short)}`;
  });
  return `"${body}"`;
}

function controlEscape(code: number): string {
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Value of a Go number literal. */
export function parseNumber(literal: string): { readonly value: number; readonly isFloat: boolean } | undefined {
  const digits = literal.replaceAll('_', '');
  const sign = digits.startsWith('-') ? -1 : 1;
  const unsigned = digits.replace(/^[+-]/, '');
  const isOldOctal = /^0[0-7]+$/.test(unsigned);
  const value = sign * (isOldOctal ? Number.parseInt(unsigned, 8) : Number(unsigned));
  const isFloat = !/^0[xXbBoO]/.test(unsigned) && /[.eE]/.test(unsigned);
  return Number.isNaN(value) ? undefined : { value, isFloat };
}
