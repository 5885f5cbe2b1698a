/** Raw rows to the kernels' layout (see kernel-layout.ts) and back; both directions move bits and never round. */
import { TarsError } from '../errors/index.js';
import { rawRowBytes, blockTypes } from './block-type.js';
import { isWideBlockType } from './raw-blocks.js';
import { copyWideBlocks, type Direction, type GroupShape } from './pack-wide.js';
import { rowsPerGroup, kernelTypes, packedByteLength, packedGroupBytes, type KernelType } from './kernel-layout.js';

/**
 * Packs one row group: `rows` holds 16 raw rows one after the other, or fewer for the last group of a matrix (the rest become
 * zero rows). Writes `packedGroupBytes(type, numCols)` bytes at `out[outOffset]`, every byte of them.
 * Throws when the sizes do not fit.
 */
export function packRowGroup(type: KernelType, rows: Uint8Array, numCols: number, out: Uint8Array, outOffset: number): void {
  const { blockType, elementBytes } = kernelTypes[type];
  const rowBytes = rawRowBytes(blockType, numCols);
  const numRows = rows.length / rowBytes;
  const groupBytes = packedGroupBytes(type, numCols);
  if (
    !Number.isInteger(numRows) ||
    numRows < 1 ||
    numRows > rowsPerGroup ||
    outOffset < 0 ||
    outOffset + groupBytes > out.length
  ) {
    throw new TarsError('INTERNAL', {
      reason: `cannot pack ${rows.length} bytes as a ${type} group of ${numCols} columns at ${outOffset} of ${out.length}`,
    });
  }
  const group = out.subarray(outOffset, outOffset + groupBytes);
  if (numRows < rowsPerGroup || groupBytes !== rowsPerGroup * rowBytes) {
    group.fill(0);
  }
  if (elementBytes > 0) {
    copyElements(rows, rowBytes, group, numRows, elementBytes, 'pack');
  } else {
    copyBlocks(type, rows, group, { numRows, numCols, rowBytes }, 'pack');
  }
}

/** The raw rows of a packed matrix: the exact inverse of `packRowGroup` over all its groups. */
export function unpackRows(type: KernelType, packed: Uint8Array, numRows: number, numCols: number): Uint8Array {
  const { blockType, elementBytes } = kernelTypes[type];
  if (packed.length !== packedByteLength(type, numRows, numCols)) {
    throw new TarsError('INTERNAL', { reason: `${packed.length} bytes are not ${numRows} x ${numCols} ${type}` });
  }
  const rowBytes = rawRowBytes(blockType, numCols);
  const groupBytes = packedGroupBytes(type, numCols);
  const raw = new Uint8Array(numRows * rowBytes);
  for (let first = 0; first < numRows; first += rowsPerGroup) {
    const group = packed.subarray((first / rowsPerGroup) * groupBytes, (first / rowsPerGroup + 1) * groupBytes);
    const count = Math.min(rowsPerGroup, numRows - first);
    const rows = raw.subarray(first * rowBytes, (first + count) * rowBytes);
    if (elementBytes > 0) {
      copyElements(rows, rowBytes, group, count, elementBytes, 'unpack');
    } else {
      copyBlocks(type, rows, group, { numRows: count, numCols, rowBytes }, 'unpack');
    }
  }
  return raw;
}

/** Float types: a transposition of elements of 2 or 4 bytes. */
function copyElements(
  rows: Uint8Array,
  rowBytes: number,
  group: Uint8Array,
  numRows: number,
  elementBytes: number,
  direction: Direction,
): void {
  const columnBytes = rowsPerGroup * elementBytes;
  for (let row = 0; row < numRows; row++) {
    let source = row * rowBytes;
    const sourceEnd = source + rowBytes;
    let target = row * elementBytes;
    for (; source < sourceEnd; source += elementBytes, target += columnBytes) {
      for (let i = 0; i < elementBytes; i++) {
        if (direction === 'pack') {
          group[target + i] = rows[source + i] ?? 0;
        } else {
          rows[source + i] = group[target + i] ?? 0;
        }
      }
    }
  }
}

/** Quantised types: headers (2 bytes per scale or min) and codes of every block of every row. */
function copyBlocks(type: KernelType, rows: Uint8Array, group: Uint8Array, shape: GroupShape, direction: Direction): void {
  const { blockType, tileHeaderBytes, blockCodeBytes } = kernelTypes[type];
  if (isWideBlockType(blockType)) {
    copyWideBlocks(type, rows, group, shape, direction);
    return;
  }
  const { blockBytes } = blockTypes[blockType];
  const numBlocks = shape.numCols / 32;
  const headerBytes = tileHeaderBytes / 32; // 2: scale; 4: scale and min
  const codeBytes = blockBytes - headerBytes;
  // 8-bit codes are signed in files and offset by 128 in the layout: flipping the top bit converts both ways.
  const flip = codeBytes === 32 ? 0x80 : 0;
  const copyCodes = direction === 'pack' ? packCodes : unpackCodes;
  for (let block = 0; block < numBlocks; block++) {
    const half = block & 1;
    const tile = (block >> 1) * (tileHeaderBytes + 2 * blockCodeBytes);
    const codes = tile + tileHeaderBytes + half * blockCodeBytes;
    for (let row = 0; row < shape.numRows; row++) {
      const source = row * shape.rowBytes + block * blockBytes;
      for (let i = 0; i < headerBytes; i++) {
        const header = tile + (i >> 1) * 64 + (half * rowsPerGroup + row) * 2 + (i & 1);
        if (direction === 'pack') {
          group[header] = rows[source + i] ?? 0;
        } else {
          rows[source + i] = group[header] ?? 0;
        }
      }
      copyCodes(rows, source + headerBytes, group, codes + row * 4, codeBytes, flip);
    }
  }
}

/** Spreads the codes of one row's block over the group's vectors: 4 bytes in every 64. */
function packCodes(rows: Uint8Array, source: number, group: Uint8Array, target: number, codeBytes: number, flip: number): void {
  const end = source + codeBytes;
  for (; source < end; source += 4, target += 64) {
    group[target] = (rows[source] ?? 0) ^ flip;
    group[target + 1] = (rows[source + 1] ?? 0) ^ flip;
    group[target + 2] = (rows[source + 2] ?? 0) ^ flip;
    group[target + 3] = (rows[source + 3] ?? 0) ^ flip;
  }
}

function unpackCodes(rows: Uint8Array, source: number, group: Uint8Array, target: number, codeBytes: number, flip: number): void {
  const end = source + codeBytes;
  for (; source < end; source += 4, target += 64) {
    for (let i = 0; i < 4; i++) {
      rows[source + i] = (group[target + i] ?? 0) ^ flip;
    }
  }
}
