// The thirteen metadata value types: reading one, and skipping one without decoding it.
import { isUtf8 } from 'node:buffer';
import type { FileWindow } from './file-window.js';
import { maxArrayDepth, maxArrayElements, maxElementBytes, maxHeaderBytes, maxStringBytes } from './limits.js';

export type GgufScalarType =
  'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'bool' | 'string' | 'uint64' | 'int64' | 'float64';
export type GgufValueType = GgufScalarType | 'array';

/** A decoded value. 64-bit integers are numbers where that is exact, else bigints. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

/** Types by their id in the file. */
const typeNames: readonly GgufValueType[] = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'bool',
  'string',
  'array',
  'uint64',
  'int64',
  'float64',
];

type FixedType = Exclude<GgufScalarType, 'string'>;

const fixedBytes: Readonly<Record<FixedType, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  uint64: 8,
  int64: 8,
  float64: 8,
};

/** What the header scan remembers of a value: enough to decode it later. */
export interface ValueRecord {
  readonly type: GgufValueType;
  /** Where the value (not its type id) begins in the file. */
  readonly offset: number;
  /** Arrays only. */
  readonly elementType?: GgufValueType;
  readonly length?: number;
}

/** Reads a value's type id and steps over the value, checking every length in it. */
export function scanValue(window: FileWindow, key: string): ValueRecord {
  const label = `"${key}"`;
  const type = readType(window, label);
  const offset = window.position;
  if (type !== 'array') {
    skipScalar(window, type, label, maxStringBytes);
    return { type, offset };
  }
  const head = readArrayHead(window, label);
  window.seek(offset);
  skipArray(window, label, 1);
  return { type, offset, elementType: head.elementType, length: head.length };
}

/** Decodes a scanned value. Throws FILE_INVALID when a string in it is not UTF-8. */
export function readValue(window: FileWindow, key: string, record: ValueRecord): GgufValue {
  const label = `"${key}"`;
  window.seek(record.offset);
  switch (record.type) {
    case 'array':
      return readArray(window, label, 1);
    case 'string':
      return readString(window, label, maxStringBytes);
    default:
      return decodeFixed(window.view(fixedBytes[record.type], label), 0, record.type);
  }
}

/** A length-prefixed UTF-8 string of at most `maxBytes` bytes at the cursor; `label` names it in errors. */
export function readString(window: FileWindow, label: string, maxBytes: number): string {
  const start = window.position;
  const bytes = window.view(readStringLength(window, label, maxBytes), label);
  const text = bytes.toString('utf8');
  // The decoder replaces bad bytes by U+FFFD; only then is the slower exact check worth its time.
  if (text.includes('\uFFFD') && !isUtf8(bytes)) {
    throw window.invalid(`${label} is not valid UTF-8`, start);
  }
  return text;
}

function readStringLength(window: FileWindow, label: string, maxBytes: number): number {
  const length = window.u64(label);
  if (length > maxBytes) {
    throw window.invalid(`${label} claims a string of ${length} bytes, the limit is ${maxBytes}`, window.position - 8);
  }
  return length;
}

function readType(window: FileWindow, label: string): GgufValueType {
  const id = window.u32(label);
  const type = typeNames[id];
  if (type === undefined) {
    throw window.invalid(`${label} has the unknown value type ${id}`, window.position - 4);
  }
  return type;
}

function skipScalar(window: FileWindow, type: GgufScalarType, label: string, maxBytes: number): void {
  window.skip(type === 'string' ? readStringLength(window, label, maxBytes) : fixedBytes[type], label);
}

function readArrayHead(window: FileWindow, label: string): { elementType: GgufValueType; length: number } {
  const elementType = readType(window, label);
  const length = window.u64(label);
  if (length > maxArrayElements) {
    throw window.invalid(`${label} claims ${length} elements, the limit is ${maxArrayElements}`, window.position - 8);
  }
  // A string takes at least its length field and an array its type and count: this refuses a count that the file cannot hold.
  const smallest = elementType === 'string' ? 8 : elementType === 'array' ? 12 : fixedBytes[elementType];
  window.require(length * smallest, label);
  return { elementType, length };
}

function skipArray(window: FileWindow, label: string, depth: number): void {
  const start = window.position;
  const { elementType, length } = readArrayHead(window, label);
  if (elementType !== 'array' && elementType !== 'string') {
    window.skip(length * fixedBytes[elementType], label);
    return;
  }
  if (elementType === 'array' && depth >= maxArrayDepth) {
    throw window.invalid(`${label} nests arrays deeper than ${maxArrayDepth} levels`, start);
  }
  for (let i = 0; i < length; i++) {
    if (elementType === 'array') {
      skipArray(window, label, depth + 1);
    } else {
      skipScalar(window, 'string', label, maxElementBytes);
    }
    if (window.position > maxHeaderBytes) {
      throw window.invalid(`${label} goes beyond the ${maxHeaderBytes} bytes that a header may have`, start);
    }
  }
}

function readArray(window: FileWindow, label: string, depth: number): readonly GgufValue[] {
  const { elementType, length } = readArrayHead(window, label);
  if (elementType !== 'array' && elementType !== 'string') {
    return readFixedArray(window, label, elementType, length);
  }
  const values: GgufValue[] = [];
  for (let i = 0; i < length; i++) {
    values.push(elementType === 'array' ? readArray(window, label, depth + 1) : readString(window, label, maxElementBytes));
  }
  return values;
}

/** Elements decoded per read: bounds the bytes held besides the result. */
const elementsPerRead = 16_384;

function readFixedArray(window: FileWindow, label: string, type: FixedType, length: number): GgufValue[] {
  const size = fixedBytes[type];
  const values: GgufValue[] = [];
  for (let first = 0; first < length; first += elementsPerRead) {
    const count = Math.min(elementsPerRead, length - first);
    const bytes = window.view(count * size, label);
    for (let i = 0; i < count; i++) {
      values.push(decodeFixed(bytes, i * size, type));
    }
  }
  return values;
}

function decodeFixed(bytes: Buffer, at: number, type: FixedType): number | bigint | boolean {
  switch (type) {
    case 'uint8':
      return bytes.readUInt8(at);
    case 'int8':
      return bytes.readInt8(at);
    case 'uint16':
      return bytes.readUInt16LE(at);
    case 'int16':
      return bytes.readInt16LE(at);
    case 'uint32':
      return bytes.readUInt32LE(at);
    case 'int32':
      return bytes.readInt32LE(at);
    case 'float32':
      return bytes.readFloatLE(at);
    case 'bool':
      return bytes.readUInt8(at) !== 0;
    case 'uint64':
      return exactInteger(bytes.readBigUInt64LE(at));
    case 'int64':
      return exactInteger(bytes.readBigInt64LE(at));
    case 'float64':
      return bytes.readDoubleLE(at);
    default:
      return type satisfies never;
  }
}

function exactInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
