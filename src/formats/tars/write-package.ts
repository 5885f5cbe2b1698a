// Writes a `.tars` package: a valid safetensors file whose tensors are already in the layout that the kernels read.
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TarsError } from '../../errors/index.js';
import {
  dequantiseRows,
  kernelLayoutVersion,
  kernelTypeOf,
  packRowGroup,
  packedByteLength,
  packedGroupBytes,
  rawRowBytes,
  rowsPerGroup,
  type KernelType,
} from '../../quant/index.js';
import type { TensorInfo, TensorSource } from '../tensor-source.js';
import type { PackageMetadata, PlannedMatrix, PlannedTensor, PlannedVector } from './package-plan.js';
import { headerBytes, type HeaderTensor } from './header.js';

export interface WriteProgress {
  readonly completedBytes: number;
  readonly totalBytes: number;
}

/**
 * Writes the package beside its final name and renames it when complete, so that a crash leaves no half package.
 * Yields to the event loop after every few megabytes. A failure removes the partial file.
 */
export async function writePackage(
  file: string,
  source: TensorSource,
  plan: readonly PlannedTensor[],
  metadata: PackageMetadata,
  onProgress: (progress: WriteProgress) => void,
): Promise<void> {
  // Matrices come first: their sizes are multiples of 64, so each one starts on a cache line and the file has no holes.
  const ordered = [...plan.filter((tensor) => tensor.kind === 'matrix'), ...plan.filter((tensor) => tensor.kind === 'vector')];
  const tensors = ordered.map((tensor) => describe(source, tensor));
  const header = headerBytes(tensors, metadata, kernelLayoutVersion);
  const totalBytes = tensors.reduce((sum, tensor) => sum + tensor.byteLength, header.byteLength);

  mkdirSync(path.dirname(file), { recursive: true });
  sweepPartials(path.dirname(file));
  // Never two writers on one file, not even from containers that share a volume and have equal process ids.
  const partial = `${file}.${randomUUID()}.partial`;
  const descriptor = openSync(partial, 'wx');
  try {
    writeFully(descriptor, header);
    let completedBytes = header.byteLength;
    for (const tensor of ordered) {
      const chunks = tensor.kind === 'matrix' ? packMatrix(source, tensor) : [vectorBytes(source, tensor)];
      for (const chunk of chunks) {
        writeFully(descriptor, chunk);
        completedBytes += chunk.byteLength;
        onProgress({ completedBytes, totalBytes });
        await nextTurn();
      }
    }
    fsyncSync(descriptor);
    renameSync(partial, file);
  } finally {
    closeSync(descriptor);
    rmSync(partial, { force: true });
  }
}

/** Removes partial files of writers that were killed: no package takes a day to write. */
function sweepPartials(folder: string): void {
  const dayMs = 24 * 60 * 60 * 1000;
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.partial'))) {
    const file = path.join(folder, name);
    const modifiedMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (Date.now() - modifiedMs > dayMs) {
      rmSync(file, { force: true });
    }
  }
}

function describe(source: TensorSource, tensor: PlannedTensor): HeaderTensor {
  if (tensor.kind === 'vector') {
    const numCols = tensor.sources.reduce((sum, name) => sum + elements(tensorInfo(source, name)), 0);
    return { name: tensor.name, kind: 'vector', type: 'f32', numRows: 1, numCols, byteLength: numCols * 4 };
  }
  const infos = tensor.sources.map((name) => tensorInfo(source, name));
  const numCols = infos[0]?.shape[1] ?? 0;
  const numRows = infos.reduce((sum, info) => sum + (info.shape[0] ?? 0), 0);
  const byteLength = packedByteLength(tensor.type, numRows, numCols);
  return { name: tensor.name, kind: 'matrix', type: tensor.type, numRows, numCols, byteLength };
}

// A few megabytes a write: large enough to be fast, small enough to show progress and to stay out of the way.
const chunkBytes = 8 * 1024 * 1024;

function* packMatrix(source: TensorSource, matrix: PlannedMatrix): Generator<Uint8Array> {
  const rows = new RowReader(source, matrix);
  const groupBytes = packedGroupBytes(matrix.type, rows.numCols);
  const groupsPerChunk = Math.max(1, Math.floor(chunkBytes / groupBytes));
  const numGroups = Math.ceil(rows.numRows / rowsPerGroup);
  for (let first = 0; first < numGroups; first += groupsPerChunk) {
    const count = Math.min(groupsPerChunk, numGroups - first);
    const chunk = new Uint8Array(count * groupBytes);
    for (let group = 0; group < count; group++) {
      packRowGroup(matrix.type, rows.readGroup(first + group), rows.numCols, chunk, group * groupBytes);
    }
    yield chunk;
  }
}

/** Reads groups of 16 rows across the sources of a matrix, in the matrix's order, converted to its kernel type. */
class RowReader {
  readonly numRows: number;
  readonly numCols: number;
  readonly #source: TensorSource;
  readonly #matrix: PlannedMatrix;
  readonly #infos: readonly TensorInfo[];
  readonly #group: Uint8Array;

  constructor(source: TensorSource, matrix: PlannedMatrix) {
    this.#source = source;
    this.#matrix = matrix;
    this.#infos = matrix.sources.map((name) => tensorInfo(source, name));
    this.numCols = this.#infos[0]?.shape[1] ?? 0;
    this.numRows = this.#infos.reduce((sum, info) => sum + (info.shape[0] ?? 0), 0);
    this.#group = new Uint8Array(rowsPerGroup * kernelRowBytes(matrix.type, this.numCols));
  }

  readGroup(group: number): Uint8Array {
    const rowBytes = this.#group.length / rowsPerGroup;
    this.#group.fill(0);
    let filled = 0;
    while (filled < rowsPerGroup && group * rowsPerGroup + filled < this.numRows) {
      const { info, row, available } = this.#locate(group, filled);
      const count = Math.min(rowsPerGroup - filled, available);
      const raw = this.#source.readRows(info.name, row, count);
      this.#group.set(convertRows(info, raw, this.#matrix.type), filled * rowBytes);
      filled += count;
    }
    return this.#group;
  }

  #locate(group: number, filled: number): { info: TensorInfo; row: number; available: number } {
    if (this.#matrix.order === 'alternating') {
      const info = itemAt(this.#infos, group % this.#infos.length);
      return { info, row: Math.floor(group / this.#infos.length) * rowsPerGroup + filled, available: rowsPerGroup - filled };
    }
    let row = group * rowsPerGroup + filled;
    for (const info of this.#infos) {
      const numRows = info.shape[0] ?? 0;
      if (row < numRows) {
        return { info, row, available: numRows - row };
      }
      row -= numRows;
    }
    throw new RangeError(`row ${row} is beyond the sources of ${this.#matrix.name}`);
  }
}

function convertRows(info: TensorInfo, raw: Uint8Array, type: KernelType): Uint8Array {
  if (kernelTypeOf(info.type) === type) {
    return raw;
  }
  if (type !== 'f32') {
    throw new TarsError('INTERNAL', { reason: `no exact image of ${info.type} as ${type} (tensor ${info.name})` });
  }
  const values = dequantiseRows(info.type, raw, info.shape[1] ?? elements(info));
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function kernelRowBytes(type: KernelType, numCols: number): number {
  return rawRowBytes(type.toUpperCase() as TensorInfo['type'], numCols);
}

function vectorBytes(source: TensorSource, vector: PlannedVector): Uint8Array {
  const parts = vector.sources.map((name) => {
    const info = tensorInfo(source, name);
    return dequantiseRows(info.type, source.readRows(name, 0, 1), elements(info));
  });
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    values.set(part, position);
    position += part.length;
  }
  return new Uint8Array(values.buffer);
}

function tensorInfo(source: TensorSource, name: string): TensorInfo {
  const info = source.tensors.get(name);
  if (info === undefined) {
    throw new TarsError('INTERNAL', { reason: `the model has no tensor ${name}` });
  }
  return info;
}

function elements(info: TensorInfo): number {
  return info.shape.reduce((product, size) => product * size, 1);
}

function itemAt<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) {
    throw new RangeError(`no item ${index}`);
  }
  return item;
}

function writeFully(descriptor: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.byteLength) {
    written += writeSync(descriptor, bytes, written, bytes.byteLength - written);
  }
}
