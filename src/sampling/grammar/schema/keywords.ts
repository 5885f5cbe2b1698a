// What the keywords of one schema say: its types, the range of its numbers, its counts. Wrong values end in a SchemaError.
import type { NumberRange } from './number-range.js';
import { SchemaError } from './schema-error.js';

export type Schema = Readonly<Record<string, unknown>>;

const objectKeywords = ['properties', 'required', 'additionalProperties', 'propertyNames', 'minProperties', 'maxProperties'];
const arrayKeywords = ['items', 'prefixItems', 'additionalItems', 'minItems', 'maxItems', 'uniqueItems'];
const stringKeywords = ['minLength', 'maxLength', 'pattern', 'format'];
const numberKeywords = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'];

export function typesOf({ type }: Schema, path: string): readonly string[] | undefined {
  if (type === undefined) {
    return undefined;
  }
  const types = Array.isArray(type) ? (type as unknown[]) : [type];
  if (types.length === 0 || types.some((name) => typeof name !== 'string')) {
    throw new SchemaError(path, '"type" must be a name or a list of names');
  }
  return types as string[];
}

/** The type that the other keywords are about; undefined when there are none. */
export function inferredTypes(schema: Schema): readonly string[] | undefined {
  const has = (keywords: readonly string[]): boolean => keywords.some((keyword) => schema[keyword] !== undefined);
  const types = [
    ...(has(objectKeywords) ? ['object'] : []),
    ...(has(arrayKeywords) ? ['array'] : []),
    ...(has(stringKeywords) ? ['string'] : []),
    ...(has(numberKeywords) ? ['number'] : []),
  ];
  return types.length === 0 ? undefined : types;
}

export function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

export function rangeOf(schema: Schema, path: string): NumberRange {
  const bound = (inclusive: string, exclusive: string, isTighter: (a: number, b: number) => boolean): NumberRange['least'] => {
    const value = schema[inclusive];
    const other = schema[exclusive];
    for (const [keyword, given] of [
      [inclusive, value],
      [exclusive, typeof other === 'boolean' ? undefined : other],
    ] as const) {
      if (given !== undefined && (typeof given !== 'number' || !Number.isFinite(given))) {
        throw new SchemaError(path, `"${keyword}" must be a number`);
      }
    }
    if (typeof other === 'number' && (typeof value !== 'number' || !isTighter(value, other))) {
      return { value: other, isExclusive: true };
    }
    // Draft 4 had a boolean beside the bound.
    return typeof value === 'number' ? { value, isExclusive: other === true } : undefined;
  };
  const least = bound('minimum', 'exclusiveMinimum', (value, other) => value > other);
  const most = bound('maximum', 'exclusiveMaximum', (value, other) => value < other);
  return { ...(least === undefined ? {} : { least }), ...(most === undefined ? {} : { most }) };
}

export function count(schema: Schema, keyword: string, path: string): number | undefined {
  const value = schema[keyword];
  if (value === undefined) {
    return undefined;
  }
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw new SchemaError(path, `"${keyword}" must be a whole number that is not negative`);
  }
  return value;
}
