// The key/value part of a GGUF file. The scan remembers where each value lies; `get` decodes it from the file.
import type { TarsError } from '../../errors/index.js';
import type { FileWindow } from './file-window.js';
import { maxHeaderBytes, maxNameBytes } from './limits.js';
import { readString, readValue, scanValue, type GgufValue, type GgufValueType, type ValueRecord } from './values.js';

/**
 * Metadata by key, in file order. Values are decoded from the file on each call (nothing is cached: a vocabulary is wanted
 * once), so the getters work only until the file is closed and may throw FILE_INVALID or FILE_TRUNCATED.
 */
export class GgufMetadata {
  readonly #window: FileWindow;
  readonly #records: ReadonlyMap<string, ValueRecord>;

  constructor(window: FileWindow, records: ReadonlyMap<string, ValueRecord>) {
    this.#window = window;
    this.#records = records;
  }

  keys(): string[] {
    return [...this.#records.keys()];
  }

  has(key: string): boolean {
    return this.#records.has(key);
  }

  type(key: string): GgufValueType | undefined {
    return this.#records.get(key)?.type;
  }

  /** Element type of an array; undefined for a missing key or another type. */
  elementType(key: string): GgufValueType | undefined {
    return this.#records.get(key)?.elementType;
  }

  /** Number of elements of an array, without decoding it; undefined for a missing key or another type. */
  arrayLength(key: string): number | undefined {
    return this.#records.get(key)?.length;
  }

  get(key: string): GgufValue | undefined {
    const record = this.#records.get(key);
    if (record === undefined) {
      return undefined;
    }
    const value = readValue(this.#window, key, record);
    this.#window.releaseWindow();
    return value;
  }

  /** A string, or undefined when the key is missing; FILE_INVALID when it holds another type. So with the getters below. */
  string(key: string): string | undefined {
    return this.#typed(key, 'a string', (value) => typeof value === 'string');
  }

  /** A number of any width (a 64-bit integer beyond 2^53 is refused). */
  number(key: string): number | undefined {
    return this.#typed(key, 'a number', (value) => typeof value === 'number');
  }

  /** An integer >= 0. */
  count(key: string): number | undefined {
    return this.#typed(
      key,
      'a non-negative integer',
      (value): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0,
    );
  }

  boolean(key: string): boolean | undefined {
    return this.#typed(key, 'a boolean', (value) => typeof value === 'boolean');
  }

  strings(key: string): readonly string[] | undefined {
    this.#requireElements(key, 'an array of strings', (type) => type === 'string');
    return this.#typed(key, 'an array of strings', (value): value is readonly string[] => Array.isArray(value));
  }

  numbers(key: string): readonly number[] | undefined {
    this.#requireElements(key, 'an array of numbers', (type) => !['string', 'array', 'bool'].includes(type));
    return this.#typed(
      key,
      'an array of numbers',
      (value): value is readonly number[] => Array.isArray(value) && value.every((element) => typeof element === 'number'),
    );
  }

  /** TarsError FILE_INVALID that points at the value of `key` (or at the start of the file when it is missing). */
  invalid(key: string, reason: string): TarsError {
    return this.#window.invalid(`"${key}" ${reason}`, this.#records.get(key)?.offset ?? 0);
  }

  /** Refuses a wrong array before it is decoded. */
  #requireElements(key: string, expected: string, accepts: (type: GgufValueType) => boolean): void {
    const record = this.#records.get(key);
    if (record !== undefined && (record.elementType === undefined || !accepts(record.elementType))) {
      throw this.invalid(key, `must be ${expected}`);
    }
  }

  #typed<T extends GgufValue>(key: string, expected: string, accepts: (value: GgufValue) => value is T): T | undefined {
    const value = this.get(key);
    if (value !== undefined && !accepts(value)) {
      throw this.invalid(key, `must be ${expected}`);
    }
    return value;
  }
}

/** Scans `numKeys` keys and values from the cursor. */
export function scanMetadata(window: FileWindow, numKeys: number): Map<string, ValueRecord> {
  const records = new Map<string, ValueRecord>();
  for (let i = 0; i < numKeys; i++) {
    const start = window.position;
    const key = readString(window, `metadata key ${i}`, maxNameBytes);
    if (records.has(key)) {
      throw window.invalid(`duplicate metadata key "${key}"`, start);
    }
    records.set(key, scanValue(window, key));
    if (window.position > maxHeaderBytes) {
      throw window.invalid(`"${key}" goes beyond the ${maxHeaderBytes} bytes that a header may have`, start);
    }
  }
  return records;
}
