// The tensor table of a GGUF file: reading it and proving that its tensors lie apart and inside the file.
import type { FileWindow } from './file-window.js';
import { ggmlType, type GgmlType } from './ggml-types.js';
import { maxDimensions, maxNameBytes } from './limits.js';
import { readString } from './values.js';

/** One tensor as the file lists it. */
export interface GgufTensorInfo {
  /** GGUF's own name, for example `blk.0.attn_q.weight`. */
  readonly name: string;
  readonly type: GgmlType;
  /** GGML order: the length of a row comes first. */
  readonly shape: readonly number[];
  readonly numElements: number;
  /** From the start of the file, in bytes. */
  readonly offset: number;
  readonly byteLength: number;
}

interface Entry {
  readonly info: GgufTensorInfo;
  /** Where the entry's offset field lies, for errors. */
  readonly offsetField: number;
}

/** Smallest entry: name length, number of dimensions, type, offset. */
export const minEntryBytes = 8 + 4 + 4 + 8;

/** Reads `numTensors` entries from the cursor; tensor data begins at the next multiple of `alignment` after them. */
export function readTensorInfos(window: FileWindow, numTensors: number, alignment: number): GgufTensorInfo[] {
  const names = new Set<string>();
  const entries: Entry[] = [];
  for (let i = 0; i < numTensors; i++) {
    const start = window.position;
    const entry = readEntry(window, i, alignment);
    if (names.has(entry.info.name)) {
      throw window.invalid(`duplicate tensor "${entry.info.name}"`, start);
    }
    names.add(entry.info.name);
    entries.push(entry);
  }
  const dataStart = Math.ceil(window.position / alignment) * alignment;
  const placed = entries.map((entry) => ({ ...entry, info: { ...entry.info, offset: dataStart + entry.info.offset } }));
  checkPlacement(window, placed);
  return placed.map((entry) => entry.info);
}

/** Reads one entry; its offset is still relative to the start of the tensor data. */
function readEntry(window: FileWindow, index: number, alignment: number): Entry {
  const name = readString(window, `name of tensor ${index}`, maxNameBytes);
  const label = `tensor "${name}"`;
  const shape = readShape(window, label);
  const typeId = window.u32(label);
  const type = ggmlType(typeId);
  if (type === undefined) {
    throw window.unsupported(`${label} has the unknown tensor type ${typeId}`);
  }
  const offsetField = window.position;
  const offset = window.u64(label);
  if (offset % alignment !== 0) {
    throw window.invalid(`offset ${offset} of ${label} is not a multiple of the alignment ${alignment}`, offsetField);
  }
  const numElements = countElements(window, label, shape, offsetField);
  const byteLength = countBytes(window, label, type, shape, numElements, offsetField);
  return { info: { name, type, shape, numElements, offset, byteLength }, offsetField };
}

function readShape(window: FileWindow, label: string): number[] {
  const start = window.position;
  const numDimensions = window.u32(label);
  if (numDimensions > maxDimensions) {
    throw window.invalid(`${label} claims ${numDimensions} dimensions, the limit is ${maxDimensions}`, start);
  }
  return Array.from({ length: numDimensions }, () => window.u64(label));
}

function countElements(window: FileWindow, label: string, shape: readonly number[], offset: number): number {
  const numElements = shape.reduce((product, size) => product * size, 1);
  // A product beyond 2^53 is inexact, but it is then surely too large as well.
  if (!Number.isSafeInteger(numElements) || numElements === 0) {
    throw window.invalid(`${label} has the impossible shape [${shape.join(', ')}]`, offset);
  }
  return numElements;
}

function countBytes(
  window: FileWindow,
  label: string,
  type: GgmlType,
  shape: readonly number[],
  numElements: number,
  offset: number,
): number {
  if ((shape[0] ?? 1) % type.blockElements !== 0) {
    throw window.invalid(
      `rows of ${label} have ${shape[0] ?? 1} elements, not a multiple of the ${type.blockElements} in a ${type.name} block`,
      offset,
    );
  }
  const byteLength = (numElements / type.blockElements) * type.blockBytes;
  if (!Number.isSafeInteger(byteLength)) {
    throw window.invalid(`${label} has the impossible shape [${shape.join(', ')}]`, offset);
  }
  return byteLength;
}

function checkPlacement(window: FileWindow, entries: readonly Entry[]): void {
  const ordered = [...entries].sort((a, b) => a.info.offset - b.info.offset);
  let previous: GgufTensorInfo | undefined;
  for (const { info, offsetField } of ordered) {
    if (previous !== undefined && info.offset < previous.offset + previous.byteLength) {
      throw window.invalid(`tensors "${previous.name}" and "${info.name}" overlap`, offsetField);
    }
    previous = info;
  }
  if (previous !== undefined) {
    // Tensors lie apart, so when the last one is inside the file all of them are.
    window.seek(previous.offset);
    window.require(previous.byteLength, `tensor "${previous.name}"`);
  }
}
