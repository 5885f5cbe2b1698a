// Regular expressions (ECMA-262, as JSON Schema's `pattern` uses them) to the inside of a JSON string in XGrammar's EBNF.
import { charSet, characterExpression, complement, type CharSet } from './char-set.js';

const digits = charSet([0x30, 0x39]);
const wordCharacters = charSet([0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]);
const spaces = charSet(
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
);
const lineEnds = charSet([0x0a, 0x0a], [0x0d, 0x0d], [0x2028, 0x2029]);
const anyCharacter = complement(charSet());

const classEscapes: Readonly<Record<string, CharSet>> = {
  d: digits,
  D: complement(digits),
  w: wordCharacters,
  W: complement(wordCharacters),
  s: spaces,
  S: complement(spaces),
};
const controlEscapes: Readonly<Record<string, number>> = { n: 0x0a, t: 0x09, r: 0x0d, f: 0x0c, v: 0x0b, 0: 0 };

/** A repetition becomes that many copies in the compiled grammar. */
const maxRepetition = 1000;

/**
 * The characters of a string that the pattern matches anywhere in, as a pattern does without anchors. Throws Error with the
 * reason for what cannot be followed: look-around, back references, anchors in the middle.
 */
export function patternExpression(pattern: string): string {
  return new PatternParser(pattern).parse();
}

class PatternParser {
  readonly #characters: readonly string[];
  #place = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#characters = [...pattern];
  }

  parse(): string {
    const any = `${characterOf(anyCharacter, 'any character')}*`;
    const branches: string[] = [];
    do {
      // Anchors hold for their own branch: ^a|b$ begins with a or ends with b.
      const isStart = this.#take('^');
      const body = this.#sequence();
      const isEnd = this.#take('$');
      if (this.#peek() !== undefined && this.#peek() !== '|') {
        throw new Error(this.#peek() === ')' ? 'a group is closed that was not opened' : 'an anchor stands in the middle');
      }
      branches.push([isStart ? '' : any, body, isEnd ? '' : any].filter((part) => part !== '').join(' ') || '""');
    } while (this.#take('|'));
    return branches.length === 1 ? (branches[0] ?? '""') : `(${branches.join(' | ')})`;
  }

  #peek(): string | undefined {
    return this.#characters[this.#place];
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) {
      return false;
    }
    this.#place += 1;
    return true;
  }

  #next(): string {
    const character = this.#characters[this.#place++];
    if (character === undefined) {
      throw new Error('it ends too early');
    }
    return character;
  }

  #alternatives(): string {
    const branches = [this.#sequence()];
    while (this.#take('|')) {
      branches.push(this.#sequence());
    }
    return `(${branches.map((branch) => branch || '""').join(' | ')})`;
  }

  #sequence(): string {
    const parts: string[] = [];
    for (;;) {
      const character = this.#peek();
      const isAtEnd = character === '$' && this.#depth === 0;
      if (character === undefined || character === '|' || character === ')' || isAtEnd) {
        return parts.join(' ');
      }
      parts.push(this.#quantified(this.#atom()));
    }
  }

  #atom(): string {
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return characterOf(this.#class(), 'a class');
      case '.':
        return characterOf(complement(lineEnds), '.');
      case '\\':
        return characterOf(this.#escape(), 'an escape');
      case '^':
      case '$':
        throw new Error('an anchor stands in the middle');
      case '*':
      case '+':
      case '?':
        throw new Error(`nothing stands before ${character}`);
      default:
        return characterOf(single(character), character);
    }
  }

  #group(): string {
    if (this.#take('?')) {
      const kind = this.#next();
      if (kind === '<' && this.#peek() !== '=' && this.#peek() !== '!') {
        while (this.#next() !== '>') {
          // The name of a group does not matter.
        }
      } else if (kind !== ':') {
        throw new Error('look-around and flags of groups are not supported');
      }
    }
    this.#depth += 1;
    const body = this.#alternatives();
    this.#depth -= 1;
    if (!this.#take(')')) {
      throw new Error('a group is not closed');
    }
    return body;
  }

  #quantified(atom: string): string {
    let least: number;
    let most: number;
    if (this.#take('*')) {
      [least, most] = [0, Infinity];
    } else if (this.#take('+')) {
      [least, most] = [1, Infinity];
    } else if (this.#take('?')) {
      [least, most] = [0, 1];
    } else {
      const counted = /^\{(\d+)(,(\d*))?\}/.exec(this.#characters.slice(this.#place, this.#place + 24).join(''));
      if (counted === null) {
        return atom;
      }
      this.#place += counted[0].length;
      least = Number(counted[1]);
      most = counted[2] === undefined ? least : counted[3] === '' ? Infinity : Number(counted[3]);
      if (most < least) {
        throw new Error(`${counted[0]} ends before it begins`);
      }
    }
    // Greedy or not, the same strings match.
    this.#take('?');
    return repeated(atom, least, most);
  }

  #escape(): CharSet {
    const character = this.#next();
    const named = classEscapes[character];
    if (named !== undefined) {
      return named;
    }
    const control = controlEscapes[character];
    if (control !== undefined) {
      return charSet([control, control]);
    }
    if (character === 'x' || character === 'u') {
      const isBraced = character === 'u' && this.#take('{');
      const hex = isBraced ? this.#until('}') : Array.from({ length: character === 'x' ? 2 : 4 }, () => this.#next()).join('');
      const codePoint = Number.parseInt(hex, 16);
      if (!/^[0-9a-f]+$/i.test(hex) || codePoint > 0x10ffff) {
        throw new Error(`\\${character}${hex} is no character`);
      }
      return charSet([codePoint, codePoint]);
    }
    if (/[1-9kbBpPc]/.test(character)) {
      throw new Error(`\\${character} is not supported`);
    }
    return single(character);
  }

  #until(end: string): string {
    let text = '';
    for (let character = this.#next(); character !== end; character = this.#next()) {
      text += character;
    }
    return text;
  }

  #class(): CharSet {
    const isNegated = this.#take('^');
    const ranges: (readonly [number, number])[] = [];
    while (!this.#take(']')) {
      const from = this.#classMember();
      const isRange =
        this.#peek() === '-' && this.#characters[this.#place + 1] !== ']' && from.length === 1 && from[0]?.[0] === from[0]?.[1];
      if (!isRange) {
        ranges.push(...from);
        continue;
      }
      this.#place += 1;
      const to = this.#classMember();
      const [first, last] = [from[0]?.[0] ?? 0, to[0]?.[1] ?? 0];
      if (to.length !== 1 || to[0]?.[0] !== last || last < first) {
        throw new Error('a range of a class is out of order');
      }
      ranges.push([first, last]);
    }
    return isNegated ? complement(charSet(...ranges)) : charSet(...ranges);
  }

  #classMember(): CharSet {
    const character = this.#next();
    if (character !== '\\') {
      return single(character);
    }
    if (this.#take('b')) {
      return charSet([0x08, 0x08]);
    }
    return this.#escape();
  }
}

function single(character: string): CharSet {
  const codePoint = character.codePointAt(0) ?? 0;
  return charSet([codePoint, codePoint]);
}

function characterOf(set: CharSet, what: string): string {
  const expression = characterExpression(set);
  if (expression === undefined) {
    throw new Error(`${what} matches no character of a JSON string`);
  }
  return expression;
}

/** `atom` from `least` to `most` times. Throws for counts that would make the grammar explode. */
export function repeated(atom: string, least: number, most: number): string {
  if (least > maxRepetition || (most !== Infinity && most > maxRepetition)) {
    throw new Error(`a repetition of more than ${maxRepetition} is not supported`);
  }
  if (most === 0) {
    return '""';
  }
  if (most === Infinity) {
    return least === 0 ? `${atom}*` : least === 1 ? `${atom}+` : `${atom}{${least},}`;
  }
  return least === 1 && most === 1 ? atom : `${atom}{${least},${most}}`;
}
