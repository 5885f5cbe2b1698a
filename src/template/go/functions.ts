// The functions of Go's text/template, and those that Ollama adds.
import { goJson, show, sprint, sprintf, sprintln } from './format.js';
import { compareText, GoFloat, GoList, GoMap, GoStruct, isTrue, typeName, type GoValue } from './values.js';

/** Throws a plain Error; the executor adds where. */
export type GoFunction = (values: readonly GoValue[]) => GoValue;

/** `and` and `or` stop at the first value that decides, so the executor runs them itself. */
export const shortCircuitNames: ReadonlySet<string> = new Set(['and', 'or']);

/** `now` gives the date for `currentDate`. */
export function createFunctions(now: () => Date): ReadonlyMap<string, GoFunction> {
  const date = (offsetDays: number): string => {
    const day = now();
    day.setDate(day.getDate() + offsetDays);
    const pad = (value: number): string => String(value).padStart(2, '0');
    return `${day.getFullYear()}-${pad(day.getMonth() + 1)}-${pad(day.getDate())}`;
  };
  return new Map<string, GoFunction>([
    ...builtIns,
    ['json', (values) => goJson(only(values))],
    ['currentDate', () => date(0)],
    ['yesterdayDate', () => date(-1)],
    ['toTypeScriptType', (values) => typeScriptType(only(values))],
  ]);
}

const builtIns: readonly (readonly [string, GoFunction])[] = [
  ['not', (values) => !isTrue(only(values))],
  ['eq', equalsAny],
  ['ne', (values) => !equals(...pair(values))],
  ['lt', (values) => compare(values) < 0],
  ['le', (values) => compare(values) <= 0],
  ['gt', (values) => compare(values) > 0],
  ['ge', (values) => compare(values) >= 0],
  ['len', (values) => length(only(values))],
  ['index', index],
  ['slice', slice],
  ['print', (values) => sprint(values)],
  ['println', (values) => sprintln(values)],
  ['printf', ([format = null, ...values]) => sprintf(asText(format), values)],
  ['html', (values) => sprint(values).replace(/[\0"'&<>]/g, (character) => htmlEscapes[character] ?? character)],
  ['js', (values) => sprint(values).replace(/[\\'"<>&=\n\r\t]/g, (character) => jsEscapes[character] ?? character)],
  ['urlquery', (values) => escapeQuery(sprint(values))],
  ['call', () => fail('call of a value that is no function')],
];

const htmlEscapes: Readonly<Record<string, string>> = {
  '\0': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

const jsEscapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
  '\n': '\\u000A',
  '\r': '\\u000D',
  '\t': '\\u0009',
};

function escapeQuery(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'))
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function fail(message: string): never {
  throw new Error(message);
}

function only(values: readonly GoValue[]): GoValue {
  return values.length === 1 ? (values[0] ?? null) : fail(`wrong number of args: want 1 got ${values.length}`);
}

function pair(values: readonly GoValue[]): [GoValue, GoValue] {
  return values.length === 2 ? [values[0] ?? null, values[1] ?? null] : fail(`wrong number of args: want 2 got ${values.length}`);
}

function asText(value: GoValue): string {
  return typeof value === 'string' ? value : fail(`wrong type for value; expected string; got ${typeName(value)}`);
}

/** `eq a b c`: whether a equals one of the others. */
function equalsAny([first = null, ...others]: readonly GoValue[]): GoValue {
  return others.length === 0 ? fail('missing argument for comparison') : others.some((other) => equals(first, other));
}

function equals(a: GoValue, b: GoValue): boolean {
  if (a === null || b === null) {
    return a === b;
  }
  if (a instanceof GoFloat && b instanceof GoFloat) {
    return a.value === b.value;
  }
  if (typeof a === 'object' || typeof b === 'object') {
    return typeName(a) === typeName(b) ? fail(`non-comparable type ${show(a)}: ${typeName(a)}`) : failIncomparable(a, b);
  }
  return typeof a === typeof b ? a === b : failIncomparable(a, b);
}

function failIncomparable(a: GoValue, b: GoValue): never {
  return fail(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
}

function compare(values: readonly GoValue[]): number {
  const [a, b] = pair(values);
  if (typeof a === 'number' && typeof b === 'number') {
    return a - b;
  }
  if (a instanceof GoFloat && b instanceof GoFloat) {
    return a.value - b.value;
  }
  if (typeof a === 'string' && typeof b === 'string') {
    return compareText(a, b);
  }
  return typeName(a) === typeName(b) ? fail('invalid type for comparison') : failIncomparable(a, b);
}

function length(value: GoValue): number {
  if (typeof value === 'string') {
    return Buffer.byteLength(value);
  }
  if (value instanceof GoList) {
    return value.items.length;
  }
  return value instanceof GoMap
    ? value.entries.size
    : fail(`len of ${value === null ? 'nil pointer' : `type ${typeName(value)}`}`);
}

function index([value = null, ...keys]: readonly GoValue[]): GoValue {
  return keys.reduce((target, key) => {
    if (target instanceof GoMap) {
      return target.entries.get(asText(key)) ?? null;
    }
    const place = asPlace(key);
    if (target instanceof GoList) {
      return place < target.items.length ? (target.items[place] ?? null) : fail(`index out of range: ${place}`);
    }
    if (typeof target === 'string') {
      return Buffer.from(target)[place] ?? fail(`index out of range: ${place}`);
    }
    return fail(target === null ? 'index of untyped nil' : `can't index item of type ${typeName(target)}`);
  }, value);
}

function asPlace(value: GoValue): number {
  if (typeof value !== 'number') {
    return fail(value === null ? 'cannot index slice/array with nil' : `cannot index slice/array with type ${typeName(value)}`);
  }
  return value >= 0 ? value : fail(`index out of range: ${value}`);
}

function slice([value = null, ...bounds]: readonly GoValue[]): GoValue {
  const bytes = typeof value === 'string' ? Buffer.from(value) : undefined;
  const items = value instanceof GoList ? value.items : undefined;
  const size = bytes?.length ?? items?.length ?? fail(`can't slice item of type ${typeName(value)}`);
  const [start = 0, end = size] = bounds.map(asPlace);
  if (bounds.length > 2 || end > size || start > end) {
    return fail(bounds.length > 2 ? 'too many slice indexes' : `index out of range: ${end > size ? end : start}`);
  }
  return items === undefined ? (bytes ?? Buffer.alloc(0)).subarray(start, end).toString() : new GoList(items.slice(start, end));
}

const typeScriptNames: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  array: 'any[]',
  object: 'Record<string, any>',
  null: 'null',
};

/** Type of a tool's parameter in TypeScript, for templates that describe tools that way. */
function typeScriptType(property: GoValue): string {
  const field = (name: string): GoValue => (property instanceof GoStruct ? (property.fields[name]?.value ?? null) : null);
  const anyOf = field('AnyOf');
  if (anyOf instanceof GoList && anyOf.items.length > 0) {
    return anyOf.items.map(typeScriptType).join(' | ');
  }
  const type = field('Type');
  const names = type instanceof GoList ? type.items : type === null || type === '' ? [] : [type];
  return names.length === 0 ? 'any' : names.map((name) => typeScriptNames[show(name)] ?? 'any').join(' | ');
}
