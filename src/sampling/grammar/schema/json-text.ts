// Given JSON texts in XGrammar's EBNF: one value, or any string but some.
import { whiteSpace as ws } from '../json-grammar.js';
import { charSet, classExpression, complement, terminal } from './char-set.js';

/** A value as JSON writes it, with white space wherever that is allowed. */
export function literal(value: unknown): string {
  if (Array.isArray(value)) {
    return `"[" ${ws} ${value.map(literal).join(` ${ws} "," ${ws} `)} ${ws} "]"`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([key, member]) => `${terminal(JSON.stringify(key))} ${ws} ":" ${ws} ${literal(member)}`,
    );
    return `"{" ${ws} ${members.join(` ${ws} "," ${ws} `)} ${ws} "}"`;
  }
  return terminal(JSON.stringify(value));
}

/** The rest of a JSON string, its closing quote included, that is none of the texts. Letters of theirs are not escaped. */
export function otherText(texts: readonly (readonly string[])[]): string {
  const byFirst = new Map<string, (readonly string[])[]>();
  for (const [first, ...rest] of texts) {
    if (first !== undefined) {
      byFirst.set(first, [...(byFirst.get(first) ?? []), rest]);
    }
  }
  const starts = [...byFirst.keys()].map((character): [number, number] => {
    const codePoint = character.codePointAt(0) ?? 0;
    return [codePoint, codePoint];
  });
  const leaves = charSet(...starts, [0, 0x1f], [0x22, 0x22], [0x5c, 0x5c]);
  const isEscaped = (character: string): boolean =>
    (character.codePointAt(0) ?? 0) < 0x20 || character === '"' || character === '\\';
  const branches = [...byFirst].flatMap(([character, rests]) =>
    isEscaped(character) ? [] : [`${terminal(character)} ${otherText(rests)}`],
  );
  const isTextItself = texts.some((text) => text.length === 0);
  return `(${[`${classExpression(complement(leaves))} character* "\\""`, ...branches, ...(isTextItself ? [] : ['"\\""'])].join(' | ')})`;
}
