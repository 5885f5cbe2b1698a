// Decodes a parsed JSON value into a typed record by the rules of Go's encoding/json: keys match without regard to case,
// null leaves the zero value, unknown keys are dropped, and type errors carry Go's texts because clients show them.
import { TarsError } from '../errors/index.js';

/** Where a value sits: Go names the outermost struct and the path of keys below it. */
export class DecodePath {
  /** The first type error; Go goes on decoding and reports it at the end. */
  firstError: TarsError | undefined;
  readonly #keys: string[] = [];
  #structName: string | undefined;

  constructor(private readonly rootTypeName: string) {}

  inStruct<T>(name: string, decode: () => T): T {
    const isOutermost = this.#structName === undefined;
    this.#structName ??= name;
    const result = decode();
    if (isOutermost) {
      this.#structName = undefined;
    }
    return result;
  }

  inKey<T>(key: string, decode: () => T): T {
    this.#keys.push(key);
    const result = decode();
    this.#keys.pop();
    return result;
  }

  /** Remembers `json: cannot unmarshal … of type …` unless there is an earlier error. */
  reportType(value: unknown, goType: string): void {
    const isRoot = this.#keys.length === 0;
    const target = isRoot
      ? `value of type ${this.rootTypeName}`
      : `struct field ${this.#structName ?? ''}.${this.#keys.join('.')} of type ${goType}`;
    this.report(`json: cannot unmarshal ${describeValue(value, goType)} into Go ${target}`);
  }

  report(reason: string): void {
    this.firstError ??= new TarsError('BAD_REQUEST', { reason });
  }
}

/** Returns undefined for a value of the wrong type, which it reports, and for null. */
export type Decoder<T> = (value: unknown, path: DecodePath) => T | undefined;

function describeValue(value: unknown, goType: string): string {
  if (typeof value === 'number') {
    return goType === 'int' || goType === 'int64' ? `number ${value}` : 'number';
  }
  if (typeof value === 'boolean') {
    return 'bool';
  }
  return Array.isArray(value) ? 'array' : typeof value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Decodes a whole body. Throws BAD_REQUEST with the first error. */
export function decodeGo<T>(value: unknown, decoder: Decoder<T>, rootTypeName: string, empty: T): T {
  const path = new DecodePath(rootTypeName);
  const decoded = decoder(value, path);
  if (path.firstError !== undefined) {
    throw path.firstError;
  }
  return decoded ?? empty;
}

export const goString: Decoder<string> = (value, path) => {
  if (typeof value === 'string') {
    return value;
  }
  return refuse(value, path, 'string');
};

export const goBool: Decoder<boolean> = (value, path) => {
  if (typeof value === 'boolean') {
    return value;
  }
  return refuse(value, path, 'bool');
};

/** An integer; `8192.0` is one too, because some clients write every number as a float. */
export const goInt: Decoder<number> = (value, path) => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    return value;
  }
  return refuse(value, path, 'int');
};

/** Any JSON value as it is; `null` counts as absent. */
export const goAny: Decoder<unknown> = (value) => value ?? undefined;

function refuse(value: unknown, path: DecodePath, goType: string): undefined {
  if (value !== null && value !== undefined) {
    path.reportType(value, goType);
  }
  return undefined;
}

/** A list; a null element becomes `empty`, as Go leaves the zero value there. */
export function goArray<T>(element: Decoder<T>, goType: string, empty: T): Decoder<T[]> {
  return (value, path) =>
    Array.isArray(value) ? value.map((item: unknown) => element(item, path) ?? empty) : refuse(value, path, goType);
}

/** A map from strings; `fromEntries` defines own properties, so a key such as `__proto__` is a key like any other. */
export function goMap<T>(element: Decoder<T>, goType: string, empty: T): Decoder<Record<string, T>> {
  return (value, path) =>
    isRecord(value)
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, element(item, path) ?? empty]))
      : refuse(value, path, goType);
}

export type FieldDecoders<T> = { readonly [K in keyof T]-?: Decoder<Exclude<T[K], undefined>> };

/** A struct: its fields come out in declaration order, absent and null ones are left out. */
export function goStruct<T extends object>(name: string, fields: FieldDecoders<T>, goType = `api.${name}`): Decoder<Partial<T>> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return (value, path) => {
    if (!isRecord(value)) {
      return refuse(value, path, goType);
    }
    const byLowerCase = new Map(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]));
    const decoded: Partial<T> = {};
    path.inStruct(name, () => {
      for (const key of names) {
        const item = byLowerCase.get(key.toLowerCase());
        if (item !== undefined && item !== null) {
          const field = path.inKey(key, () => fields[key](item, path));
          if (field !== undefined) {
            decoded[key] = field;
          }
        }
      }
    });
    return decoded;
  };
}
