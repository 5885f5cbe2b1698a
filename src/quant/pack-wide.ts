// The wide block types (raw-blocks.ts) to the kernels' layout and back, one row's block of 32 or 256 elements at a time.
import { blockTypes } from './block-type.js';
import { rowsPerGroup, kernelTypes, type KernelType } from './kernel-layout.js';
import {
  bitsOf,
  isWideBlockType,
  q6,
  readCodes,
  readFactors,
  writeCodes,
  writeFactors,
  type WideBlockType,
} from './raw-blocks.js';

export interface GroupShape {
  readonly numRows: number;
  readonly numCols: number;
  readonly rowBytes: number;
}

export type Direction = 'pack' | 'unpack';

const factorBytes = 64;

/** Moves all rows of a group. Bytes that nothing is written to must be zero: the padding of a group, raw rows to unpack into. */
export function copyWideBlocks(
  type: KernelType,
  rows: Uint8Array,
  group: Uint8Array,
  shape: GroupShape,
  direction: Direction,
): void {
  const { blockType, tileColumns, tileHeaderBytes, blockCodeBytes } = kernelTypes[type];
  if (!isWideBlockType(blockType)) {
    return;
  }
  const { blockBytes, blockElements } = blockTypes[blockType];
  const tileBytes = tileHeaderBytes + (tileColumns / 32) * blockCodeBytes;
  const codes = new Uint8Array(32);
  const factors = new Uint8Array(16);
  for (let row = 0; row < shape.numRows; row++) {
    for (let block = 0; block < shape.numCols / 32; block++) {
      const at = row * shape.rowBytes + Math.floor((block * 32) / blockElements) * blockBytes;
      const index = block % (blockElements / 32);
      const place = block % (tileColumns / 32);
      const tile = Math.floor((block * 32) / tileColumns) * tileBytes;
      const base = tile + tileHeaderBytes + place * blockCodeBytes;
      if (direction === 'pack') {
        readCodes(blockType, rows, at, index, codes);
        packCodes(bitsOf(blockType), codes, group, base, row);
      } else {
        unpackCodes(bitsOf(blockType), codes, group, base, row);
        writeCodes(blockType, rows, at, index, codes);
      }
      if (index === 0) {
        copyFactors(blockType, { rows, at, group, tile, place, row, factors }, direction);
      }
    }
  }
}

interface FactorPlaces {
  readonly rows: Uint8Array;
  readonly at: number;
  readonly group: Uint8Array;
  readonly tile: number;
  readonly place: number;
  readonly row: number;
  readonly factors: Uint8Array;
}

function copyFactors(
  type: WideBlockType,
  { rows, at, group, tile, place, row, factors }: FactorPlaces,
  direction: Direction,
): void {
  /** Moves a half; `turn` is XORed into its upper byte. */
  const half = (raw: number, packed: number, turn = 0): void => {
    for (const [i, flip] of [0, turn].entries()) {
      if (direction === 'pack') {
        group[packed + i] = (rows[raw + i] ?? 0) ^ flip;
      } else {
        rows[raw + i] = (group[packed + i] ?? 0) ^ flip;
      }
    }
  };
  const byteAt = (index: number): number => tile + factorBytes + index * rowsPerGroup + row;
  if (type === 'Q5_0' || type === 'Q5_1') {
    half(at, tile + (place * rowsPerGroup + row) * 2);
    if (type === 'Q5_1') {
      half(at + 2, tile + 64 + (place * rowsPerGroup + row) * 2);
    }
    return;
  }
  if (type === 'Q6_K') {
    half(at + q6.scaleAt, tile + row * 2);
    for (let i = 0; i < 16; i++) {
      if (direction === 'pack') {
        group[byteAt(i)] = rows[at + q6.factorsAt + i] ?? 0;
      } else {
        rows[at + q6.factorsAt + i] = group[byteAt(i)] ?? 0;
      }
    }
    return;
  }
  half(at, tile + row * 2);
  half(at + 2, tile + 32 + row * 2, 0x80);
  if (direction === 'pack') {
    readFactors(rows, at, factors);
    factors.forEach((factor, i) => (group[byteAt(i)] = factor));
  } else {
    factors.forEach((_, i) => (factors[i] = group[byteAt(i)] ?? 0));
    writeFactors(rows, at, factors);
  }
}

function packCodes(bits: 4 | 5 | 6, codes: Uint8Array, group: Uint8Array, base: number, row: number): void {
  for (let k = 0; k < 16; k++) {
    group[base + (k >> 2) * 64 + row * 4 + (k & 3)] = ((codes[k] ?? 0) & 15) | (((codes[16 + k] ?? 0) & 15) << 4);
  }
  const above = (e: number): number => (codes[e] ?? 0) >> 4;
  for (let vector = 0; bits === 5 && vector < 8; vector++) {
    const e = vector * 4;
    const nibble = above(e) | (above(e + 1) << 1) | (above(e + 2) << 2) | (above(e + 3) << 3);
    const at = base + 256 + vector * 8 + (row >> 1);
    group[at] = row % 2 === 0 ? nibble : (group[at] ?? 0) | (nibble << 4);
  }
  for (let half = 0; bits === 6 && half < 2; half++) {
    for (let i = 0; i < 4; i++) {
      const e = half * 16 + i;
      group[base + 256 + half * 64 + row * 4 + i] = above(e) | (above(e + 4) << 2) | (above(e + 8) << 4) | (above(e + 12) << 6);
    }
  }
}

function unpackCodes(bits: 4 | 5 | 6, codes: Uint8Array, group: Uint8Array, base: number, row: number): void {
  for (let e = 0; e < 32; e++) {
    const k = e & 15;
    const half = e >> 4;
    const vector = k >> 2;
    const i = k & 3;
    const nibble = ((group[base + vector * 64 + row * 4 + i] ?? 0) >> (4 * half)) & 15;
    const fifth = ((group[base + 256 + half * 32 + vector * 8 + (row >> 1)] ?? 0) >> ((row & 1) * 4 + i)) & 1;
    const two = ((group[base + 256 + half * 64 + row * 4 + i] ?? 0) >> (2 * vector)) & 3;
    codes[e] = nibble | ((bits === 5 ? fifth : bits === 6 ? two : 0) << 4);
  }
}
