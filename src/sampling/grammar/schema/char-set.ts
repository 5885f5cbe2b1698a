// Sets of Unicode characters, and how XGrammar's EBNF writes one of them inside a JSON string.

/** Sorted ranges of code points, both ends included, that do not touch each other. */
export type CharSet = readonly (readonly [number, number])[];

const maxCodePoint = 0x10ffff;

/** JSON's short escapes: code point → letter after the backslash. */
const shortEscapes: ReadonlyMap<number, string> = new Map([
  [0x22, '"'],
  [0x5c, '\\'],
  [0x08, 'b'],
  [0x0c, 'f'],
  [0x0a, 'n'],
  [0x0d, 'r'],
  [0x09, 't'],
]);

export function charSet(...ranges: readonly (readonly [number, number])[]): CharSet {
  const merged: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) {
      last[1] = Math.max(last[1], to);
    } else {
      merged.push([from, to]);
    }
  }
  return merged;
}

export function complement(set: CharSet): CharSet {
  const ranges: [number, number][] = [];
  let next = 0;
  for (const [from, to] of set) {
    if (from > next) {
      ranges.push([next, from - 1]);
    }
    next = to + 1;
  }
  if (next <= maxCodePoint) {
    ranges.push([next, maxCodePoint]);
  }
  return ranges;
}

function contains(set: CharSet, codePoint: number): boolean {
  return set.some(([from, to]) => codePoint >= from && codePoint <= to);
}

/** Characters that may stand in a JSON string as they are. */
function unescaped(set: CharSet): CharSet {
  const special = charSet([0, 0x1f], [0x22, 0x22], [0x5c, 0x5c]);
  return complement(charSet(...complement(set), ...special));
}

/** One character of the set as it stands in a JSON string; undefined when a string can hold none of them. */
export function characterExpression(set: CharSet): string | undefined {
  const plain = unescaped(set);
  const escapes = [...shortEscapes].filter(([codePoint]) => contains(set, codePoint)).map(([, letter]) => letter);
  const alternatives = [
    ...(plain.length > 0 ? [classExpression(plain)] : []),
    ...(escapes.length > 0 ? [`"\\\\" [${escapes.map((letter) => classCharacter(letter.charCodeAt(0))).join('')}]`] : []),
  ];
  return alternatives.length === 0 ? undefined : alternatives.length === 1 ? alternatives[0] : `(${alternatives.join(' | ')})`;
}

/** `[a-z]`; a set that leaves out less than it holds is written as `[^…]`. */
export function classExpression(set: CharSet): string {
  const isMost = set.at(-1)?.[1] === maxCodePoint;
  const ranges = (isMost ? complement(set) : set)
    .map(([from, to]) => (from === to ? classCharacter(from) : `${classCharacter(from)}-${classCharacter(to)}`))
    .join('');
  return isMost ? `[^${ranges}]` : `[${ranges}]`;
}

function classCharacter(codePoint: number): string {
  const isPlain =
    (codePoint >= 0x30 && codePoint <= 0x39) ||
    (codePoint >= 0x41 && codePoint <= 0x5a) ||
    (codePoint >= 0x61 && codePoint <= 0x7a);
  return isPlain ? String.fromCodePoint(codePoint) : escapeCodePoint(codePoint);
}

function escapeCodePoint(codePoint: number): string {
  const hex = codePoint.toString(16);
  return codePoint > 0xffff ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
}

/** A text as a terminal of the grammar. */
export function terminal(text: string): string {
  const escaped = [...text].map((character) => {
    const codePoint = character.codePointAt(0) ?? 0;
    return codePoint >= 0x20 && codePoint < 0x7f && character !== '"' && character !== '\\'
      ? character
      : escapeCodePoint(codePoint);
  });
  return `"${escaped.join('')}"`;
}
