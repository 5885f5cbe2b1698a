// JSON numbers within bounds, digit by digit, in XGrammar's EBNF. Numbers are written without exponents here.

/** One end of a range: a decimal number, and whether it belongs to the range. */
export interface Bound {
  readonly value: number;
  readonly isExclusive: boolean;
}

export interface NumberRange {
  readonly least?: Bound;
  readonly most?: Bound;
}

// Longer numbers lose digits in most readers.
const maxDigits = 16;
const maxFractionDigits = 16;

/** Integers of the range. Throws Error when there are none. */
export function integerExpression({ least, most }: NumberRange): string {
  const from = least === undefined ? -Infinity : least.isExclusive ? Math.floor(least.value) + 1 : Math.ceil(least.value);
  const to = most === undefined ? Infinity : most.isExclusive ? Math.ceil(most.value) - 1 : Math.floor(most.value);
  if (from > to) {
    throw new Error('no integer lies between the bounds');
  }
  const parts: string[] = [];
  if (from < 0) {
    // -b to -a, for the magnitudes a to b.
    parts.push(`"-" ${magnitudes(Math.max(1, -to), -from)}`);
  }
  if (to >= 0) {
    parts.push(magnitudes(Math.max(0, from), to));
  }
  return alternatives(parts);
}

/** Numbers of the range, with or without a fraction. Throws Error when there are none. */
export function numberExpression({ least, most }: NumberRange): string {
  if (least !== undefined && most !== undefined) {
    const isEmpty = least.value > most.value || (least.value === most.value && (least.isExclusive || most.isExclusive));
    if (isEmpty) {
      throw new Error('no number lies between the bounds');
    }
  }
  const parts: string[] = [];
  // Below zero: magnitudes from -most to -least, bounds changing sides. -0 is written 0.
  if (least === undefined || least.value < 0) {
    const upper = least && { value: -least.value, isExclusive: least.isExclusive };
    const lower =
      most !== undefined && most.value < 0
        ? { value: -most.value, isExclusive: most.isExclusive }
        : { value: 0, isExclusive: true };
    parts.push(`"-" ${decimals(lower, upper)}`);
  }
  if (most === undefined || most.value > 0 || (most.value === 0 && !most.isExclusive)) {
    const lower = least !== undefined && least.value >= 0 ? least : { value: 0, isExclusive: false };
    parts.push(decimals(lower, most));
  }
  return alternatives(parts);
}

const digit = '[0-9]';
const anyFraction = `("." [0-9]{1,${maxFractionDigits}})?`;

/** Decimal numbers >= 0 between two bounds that are not negative. */
function decimals(lower: Bound, upper: Bound | undefined): string {
  const [lowerWhole, lowerFraction] = split(lower.value);
  const [upperWhole, upperFraction] = upper === undefined ? [Infinity, ''] : split(upper.value);
  if (lowerWhole === upperWhole) {
    const between = fractionBetween(lowerFraction, lower.isExclusive, upperFraction, upper?.isExclusive ?? false);
    return `${quoted(String(lowerWhole))} ${between}`;
  }
  const parts: string[] = [];
  const isWholeFrom = lowerFraction === '' && !lower.isExclusive;
  if (!isWholeFrom) {
    parts.push(`${quoted(String(lowerWhole))} ${fractionAbove(lowerFraction, lower.isExclusive)}`);
  }
  const firstWhole = isWholeFrom ? lowerWhole : lowerWhole + 1;
  if (firstWhole <= upperWhole - 1) {
    parts.push(`${magnitudes(firstWhole, upperWhole - 1)} ${anyFraction}`);
  }
  if (upper !== undefined && !(upperFraction === '' && upper.isExclusive)) {
    parts.push(`${quoted(String(upperWhole))} ${fractionBelow(upperFraction, upper.isExclusive)}`);
  }
  return alternatives(parts);
}

/** Whole part and digits of the fraction without zeros at its end. */
function split(value: number): [number, string] {
  if (!Number.isFinite(value) || value > 1e15) {
    throw new Error(`the bound ${value} is too large`);
  }
  const [, fraction = ''] = value.toFixed(maxFractionDigits).split('.');
  return [Math.trunc(value), shortest(value, fraction)];
}

/** The digits that were meant: 0.1, not 0.1000000000000000055. */
function shortest(value: number, fraction: string): string {
  const text = String(value);
  return (text.includes('e') ? fraction : (text.split('.')[1] ?? '')).replace(/0+$/, '');
}

/** Fractions (with their point, or none for zero) that are at least, or more than, 0.`digits`. */
function fractionAbove(digits: string, isExclusive: boolean): string {
  if (digits === '') {
    return isExclusive ? `"." ${nonZeroTail()}` : anyFraction;
  }
  return `"." ${tailAbove(digits, isExclusive)}`;
}

/** Fractions that are at most, or less than, 0.`digits`. */
function fractionBelow(digits: string, isExclusive: boolean): string {
  if (digits === '') {
    return isExclusive ? never : `("." "0"{1,${maxFractionDigits}})?`;
  }
  return `("." ${tailBelow(digits, isExclusive)})?`;
}

function fractionBetween(above: string, isAboveExclusive: boolean, below: string, isBelowExclusive: boolean): string {
  const length = Math.max(above.length, below.length, 1);
  const [from, to] = [above.padEnd(length, '0'), below.padEnd(length, '0')];
  let common = 0;
  while (common < length && from[common] === to[common]) {
    common += 1;
  }
  const prefix = from.slice(0, common);
  if (common === length) {
    // One number alone.
    return above === '' ? `("." "0"{1,${maxFractionDigits}})?` : `"." ${quoted(above)} "0"{0,${maxFractionDigits}}`;
  }
  const parts: string[] = [];
  const [low, high] = [Number(from[common]), Number(to[common])];
  const lowTail = from.slice(common + 1).replace(/0+$/, '');
  const highTail = to.slice(common + 1).replace(/0+$/, '');
  parts.push(
    `${quoted(String(low))} ${lowTail === '' ? (isAboveExclusive ? nonZeroTail() : anyTail) : tailAbove(lowTail, isAboveExclusive)}`,
  );
  if (high - low > 1) {
    parts.push(`${digitClass(low + 1, high - 1)} ${anyTail}`);
  }
  if (highTail !== '') {
    parts.push(`${quoted(String(high))} (${tailBelow(highTail, isBelowExclusive)})?`);
  } else if (!isBelowExclusive) {
    parts.push(`${quoted(String(high))} "0"{0,${maxFractionDigits}}`);
  }
  const rest = alternatives(parts);
  // The shared digits alone are the lower bound when only zeros follow in it.
  const isPrefixEnough = prefix !== '' && !isAboveExclusive && /^0*$/.test(from.slice(common));
  const fraction = `"." ${prefix === '' ? '' : `${quoted(prefix)} `}${isPrefixEnough ? `(${rest})?` : rest}`;
  // Without a fraction the number is its whole part, which only a lower bound without one allows.
  return above === '' && !isAboveExclusive ? `(${fraction})?` : fraction;
}

const anyTail = `[0-9]{0,${maxFractionDigits}}`;
/** Matches nothing: an empty alternative would mean the empty text. */
const never = '[^\\u0000-\\U0010ffff]';

function nonZeroTail(): string {
  return `"0"{0,${maxFractionDigits}} [1-9] ${anyTail}`;
}

/** Digits behind the point that make at least, or more than, 0.`digits`, which does not end with 0. */
function tailAbove(digits: string, isExclusive: boolean): string {
  const parts: string[] = [];
  for (let place = 0; place < digits.length; place++) {
    const at = Number(digits[place]);
    if (at < 9) {
      parts.push(`${place > 0 ? `${quoted(digits.slice(0, place))} ` : ''}${digitClass(at + 1, 9)} ${anyTail}`);
    }
  }
  parts.push(`${quoted(digits)} ${isExclusive ? nonZeroTail() : anyTail}`);
  return alternatives(parts);
}

/** Digits behind the point, at least one, that make at most, or less than, 0.`digits`. */
function tailBelow(digits: string, isExclusive: boolean): string {
  const parts: string[] = [];
  for (let place = 0; place < digits.length; place++) {
    const at = Number(digits[place]);
    const prefix = place > 0 ? `${quoted(digits.slice(0, place))} ` : '';
    if (at > 0) {
      parts.push(`${prefix}${digitClass(0, at - 1)} ${anyTail}`);
    }
    if (place > 0) {
      // The same digits so far, and no more: less than the bound.
      parts.push(quoted(digits.slice(0, place)));
    }
  }
  if (!isExclusive) {
    parts.push(`${quoted(digits)} "0"{0,${maxFractionDigits}}`);
  }
  return alternatives(parts);
}

/** Whole numbers from `from` >= 0 to `to`, without zeros in front. */
function magnitudes(from: number, to: number): string {
  if (to === Infinity) {
    if (from > 1e15) {
      throw new Error(`the bound ${from} is too large`);
    }
    const length = String(from).length;
    const sameLength = alternatives(sameLengthRange(String(from), '9'.repeat(length)));
    return `(${sameLength} | [1-9] [0-9]{${length},${Math.max(length, maxDigits)}})`;
  }
  if (to > 1e15) {
    throw new Error(`the bound ${to} is too large`);
  }
  const parts: string[] = [];
  for (let length = String(from).length; length <= String(to).length; length++) {
    const first = length === String(from).length ? String(from) : `1${'0'.repeat(length - 1)}`;
    const last = length === String(to).length ? String(to) : '9'.repeat(length);
    parts.push(...sameLengthRange(first, last));
  }
  return alternatives(parts);
}

/** Texts of digits of one length from `first` to `last`. */
function sameLengthRange(first: string, last: string): string[] {
  if (first === last) {
    return [quoted(first)];
  }
  const low = Number(first[0]);
  const high = Number(last[0]);
  const [firstRest, lastRest] = [first.slice(1), last.slice(1)];
  if (firstRest === '') {
    return [digitClass(low, high)];
  }
  if (low === high) {
    return [`${quoted(String(low))} ${alternatives(sameLengthRange(firstRest, lastRest))}`];
  }
  const parts: string[] = [];
  const isLowWhole = /^0*$/.test(firstRest);
  const isHighWhole = /^9*$/.test(lastRest);
  if (!isLowWhole) {
    parts.push(`${quoted(String(low))} ${alternatives(sameLengthRange(firstRest, '9'.repeat(firstRest.length)))}`);
  }
  const [from, to] = [isLowWhole ? low : low + 1, isHighWhole ? high : high - 1];
  if (from <= to) {
    parts.push(`${digitClass(from, to)} ${digit}{${firstRest.length},${firstRest.length}}`);
  }
  if (!isHighWhole) {
    parts.push(`${quoted(String(high))} ${alternatives(sameLengthRange('0'.repeat(lastRest.length), lastRest))}`);
  }
  return parts;
}

function digitClass(from: number, to: number): string {
  return from === to ? quoted(String(from)) : `[${from}-${to}]`;
}

function quoted(text: string): string {
  return `"${text}"`;
}

function alternatives(parts: readonly string[]): string {
  return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(' | ')})`;
}
