// The values that Go templates compute with. Go's int is a JavaScript number, so a float needs a class of its own.
import { quote } from './literals.js';

export class GoFloat {
  constructor(readonly value: number) {}
}

export class GoList {
  /** `json`: printed as JSON (Go types with such a String method) instead of `[a b]`. */
  constructor(
    readonly items: readonly GoValue[],
    readonly json = false,
  ) {}
}

export class GoMap {
  constructor(
    readonly entries: ReadonlyMap<string, GoValue>,
    readonly json = false,
  ) {}

  /** Keys in the order in which Go ranges over and prints a map. */
  sortedKeys(): string[] {
    return [...this.entries.keys()].sort(compareText);
  }
}

export interface GoField {
  readonly value: GoValue;
  /** Key in JSON; undefined leaves the field out there. */
  readonly wire?: string;
  /** Left out of JSON when it is empty. */
  readonly omitEmpty?: boolean;
}

/** A struct knows its fields, so that a wrong name is an error and not an empty text. */
export class GoStruct {
  constructor(
    readonly typeName: string,
    readonly fields: Readonly<Record<string, GoField>>,
    readonly json = false,
  ) {}
}

export type GoValue = null | boolean | number | string | GoFloat | GoList | GoMap | GoStruct;

/** Go compares strings by their UTF-8 bytes, which is the order of code points. */
export function compareText(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** A JSON value as Go decodes it: objects are maps, numbers are floats. */
export function fromJson(value: unknown, json = false): GoValue {
  if (typeof value === 'number') {
    return new GoFloat(value);
  }
  if (typeof value === 'string' || typeof value === 'boolean') {
    return value;
  }
  if (Array.isArray(value)) {
    return new GoList(
      value.map((item) => fromJson(item)),
      json,
    );
  }
  if (typeof value === 'object' && value !== null) {
    return new GoMap(new Map(Object.entries(value).map(([key, item]) => [key, fromJson(item)])), json);
  }
  return null;
}

/** The value as its JSON has it, ready for `JSON.stringify`: maps sorted by key, structs under their wire names. */
export function toJson(value: GoValue): unknown {
  if (value instanceof GoFloat) {
    return value.value;
  }
  if (value instanceof GoList) {
    return value.items.map(toJson);
  }
  if (value instanceof GoMap) {
    return Object.fromEntries(value.sortedKeys().map((key) => [key, toJson(value.entries.get(key) ?? null)]));
  }
  if (value instanceof GoStruct) {
    const shown = Object.values(value.fields).filter((field) => field.omitEmpty !== true || isTrue(field.value));
    return Object.fromEntries(shown.flatMap((field) => (field.wire === undefined ? [] : [[field.wire, toJson(field.value)]])));
  }
  return value;
}

/** Whether a value counts as true: not its type's zero. */
export function isTrue(value: GoValue): boolean {
  if (value instanceof GoFloat) {
    return value.value !== 0;
  }
  if (value instanceof GoList) {
    return value.items.length > 0;
  }
  if (value instanceof GoMap) {
    return value.entries.size > 0;
  }
  return value instanceof GoStruct || Boolean(value);
}

/** Name of the Go type, for error messages. */
export function typeName(value: GoValue): string {
  if (value === null) {
    return 'interface {}';
  }
  if (value instanceof GoFloat) {
    return 'float64';
  }
  if (value instanceof GoList) {
    return '[]interface {}';
  }
  if (value instanceof GoMap) {
    return 'map[string]interface {}';
  }
  if (value instanceof GoStruct) {
    return value.typeName;
  }
  return typeof value === 'number' ? 'int' : typeof value === 'boolean' ? 'bool' : 'string';
}

/** `%v`. `quoted` is `%q`, which quotes every text inside too. */
export function printValue(value: GoValue, toJsonText: (value: GoValue) => string, quoted = false): string {
  const print = (item: GoValue): string => printValue(item, toJsonText, quoted);
  if (value === null) {
    return '<nil>';
  }
  if (value instanceof GoFloat) {
    return printFloat(value.value);
  }
  if ((value instanceof GoList || value instanceof GoMap || value instanceof GoStruct) && value.json) {
    return toJsonText(value);
  }
  if (value instanceof GoList) {
    return `[${value.items.map(print).join(' ')}]`;
  }
  if (value instanceof GoMap) {
    return `map[${value
      .sortedKeys()
      .map((key) => `${quoted ? quote(key) : key}:${print(value.entries.get(key) ?? null)}`)
      .join(' ')}]`;
  }
  if (value instanceof GoStruct) {
    return `{${Object.values(value.fields)
      .map((field) => print(field.value))
      .join(' ')}}`;
  }
  return quoted && typeof value === 'string' ? quote(value) : String(value);
}

/** Go's shortest form (`%v`): scientific from 1e+06 or below 1e-4 on, at least two digits in the exponent. */
export function printFloat(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  }
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (value !== 0 && (power < -4 || power >= 6)) {
    return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  return Object.is(value, -0) ? '-0' : String(value);
}
