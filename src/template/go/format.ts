// Go's fmt: Sprint, Sprintln and Sprintf for the values of a template.
import { encodeGoJson } from '../../api/index.js';
import { quote } from './literals.js';
import { GoFloat, printValue, toJson, typeName, type GoValue } from './values.js';

/** Widest field that a template may ask for: honest ones align a table, larger ones fill the memory. */
const maxWidth = 1000;

export function goJson(value: GoValue): string {
  return encodeGoJson(toJson(value));
}

/** `%v`. */
export function show(value: GoValue): string {
  return printValue(value, goJson);
}

/** A space between operands unless one of them is a string. */
export function sprint(values: readonly GoValue[]): string {
  return values
    .map((value, i) => {
      const isSpaced = i > 0 && typeof value !== 'string' && typeof values[i - 1] !== 'string';
      return (isSpaced ? ' ' : '') + show(value);
    })
    .join('');
}

export function sprintln(values: readonly GoValue[]): string {
  return `${values.map(show).join(' ')}\n`;
}

const directive = /%([-+# 0]*)(\d+)?(?:\.(\d+))?([^])/gu;

export function sprintf(format: string, values: readonly GoValue[]): string {
  let next = 0;
  const text = format.replace(
    directive,
    (_, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') {
        return '%';
      }
      if (next >= values.length) {
        return `%!${verb}(MISSING)`;
      }
      const value = values[next++] ?? null;
      const body = formatVerb(verb, value, precision === undefined ? undefined : Math.min(Number(precision), 100));
      return body === undefined
        ? `%!${verb}(${describe(value)})`
        : pad(flags.includes('+') ? withSign(body, value) : body, flags, width);
    },
  );
  const extra = values.slice(next).map(describe);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`;
}

function describe(value: GoValue): string {
  return value === null ? '<nil>' : `${typeName(value)}=${show(value)}`;
}

/** One value under a verb, or undefined when the verb does not fit it. */
function formatVerb(verb: string, value: GoValue, precision: number | undefined): string | undefined {
  if (verb === 'v') {
    return show(value);
  }
  if (typeof value === 'number') {
    return formatInteger(verb, value);
  }
  if (value instanceof GoFloat) {
    return formatFloat(verb, value.value, precision);
  }
  if (typeof value === 'boolean') {
    return verb === 't' ? String(value) : undefined;
  }
  if (typeof value === 'string') {
    return formatText(verb, precision === undefined ? value : [...value].slice(0, precision).join(''));
  }
  // %s and %q of a list or map go to its elements.
  return value !== null && (verb === 's' || verb === 'q') ? printValue(value, goJson, verb === 'q') : undefined;
}

function formatInteger(verb: string, value: number): string | undefined {
  switch (verb) {
    case 'd':
      return String(value);
    case 'x':
      return value.toString(16);
    case 'X':
      return value.toString(16).toUpperCase();
    case 'o':
      return value.toString(8);
    case 'b':
      return value.toString(2);
    case 'c':
      return String.fromCodePoint(value >= 0 && value <= 0x10ffff ? value : 0xfffd);
    case 'U':
      return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
    default:
      return undefined;
  }
}

function formatFloat(verb: string, value: number, precision: number | undefined): string | undefined {
  switch (verb) {
    case 'f':
    case 'F':
      return value.toFixed(precision ?? 6);
    case 'e':
      return value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2');
    case 'g':
      return precision === undefined ? show(new GoFloat(value)) : String(Number(value.toPrecision(precision || 1)));
    default:
      return undefined;
  }
}

function formatText(verb: string, value: string): string | undefined {
  switch (verb) {
    case 's':
      return value;
    case 'q':
      return quote(value);
    case 'x':
      return Buffer.from(value).toString('hex');
    default:
      return undefined;
  }
}

function withSign(body: string, value: GoValue): string {
  const isNumber = typeof value === 'number' || value instanceof GoFloat;
  return isNumber && !body.startsWith('-') ? `+${body}` : body;
}

function pad(body: string, flags: string, widthText: string | undefined): string {
  const missing = Math.min(Number(widthText ?? 0), maxWidth) - [...body].length;
  if (missing <= 0) {
    return body;
  }
  if (flags.includes('-')) {
    return body + ' '.repeat(missing);
  }
  if (!flags.includes('0')) {
    return ' '.repeat(missing) + body;
  }
  const sign = /^[+-]/.exec(body)?.[0] ?? '';
  return sign + '0'.repeat(missing) + body.slice(sign.length);
}
