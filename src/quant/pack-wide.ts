// The wide block types (raw-blocks.ts) to the kernels' layout and back, one row's block of 32 or 256 elements at a time.
import { blockTypes } from './block-type.js';
import { rowsPerGroup, kernelTypes, type KernelType } from './kernel-layout.js';
import {
  bitsOf,
  isWideBlockType,
  readCodes,
  readFactors,
  superBlocks,
  writeCodes,
  writeFactors,
  type CodeBits,
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
  /** Moves a byte, XORed with `turn`. */
  const byte = (raw: number, packed: number, turn = 0): void => {
    if (direction === 'pack') {
      group[packed] = (rows[raw] ?? 0) ^ turn;
    } else {
      rows[raw] = (group[packed] ?? 0) ^ turn;
    }
  };
  const half = (raw: number, packed: number, turn = 0): void => {
    byte(raw, packed);
    byte(raw + 1, packed + 1, turn);
  };
  if (type === 'MXFP4') {
    byte(at, tile + place * rowsPerGroup + row);
    return;
  }
  if (type === 'Q5_0' || type === 'Q5_1' || type === 'IQ4_NL') {
    half(at, tile + (place * rowsPerGroup + row) * 2);
    if (type === 'Q5_1') {
      half(at + 2, tile + 64 + (place * rowsPerGroup + row) * 2);
    }
    return;
  }
  const { scaleAt, numFactors, hasMin } = superBlocks[type];
  half(at + scaleAt, tile + row * 2);
  if (hasMin) {
    half(at + scaleAt + 2, tile + 32 + row * 2, 0x80);
  }
  const factorAt = (index: number): number => tile + factorBytes + index * rowsPerGroup + row;
  if (direction === 'pack') {
    readFactors(type, rows, at, factors);
    for (let i = 0; i < numFactors; i++) {
      group[factorAt(i)] = factors[i] ?? 0;
    }
  } else {
    factors.forEach((_, i) => (factors[i] = group[factorAt(i)] ?? 0));
    writeFactors(type, rows, at, factors);
  }
}

/** Offsets of the planes of a block's codes in the layout; -1: the type has none. */
function planesOf(bits: CodeBits): { readonly nibbles: number; readonly pairs: number; readonly singles: number } {
  return {
    nibbles: bits >= 4 ? 0 : -1,
    pairs: bits === 6 ? 256 : bits < 4 ? 0 : -1,
    singles: bits === 5 ? 256 : bits === 3 ? 128 : -1,
  };
}

function packCodes(bits: CodeBits, codes: Uint8Array, group: Uint8Array, base: number, row: number): void {
  const { nibbles, pairs, singles } = planesOf(bits);
  for (let k = 0; nibbles >= 0 && k < 16; k++) {
    group[base + (k >> 2) * 64 + row * 4 + (k & 3)] = ((codes[k] ?? 0) & 15) | (((codes[16 + k] ?? 0) & 15) << 4);
  }
  const single = (e: number): number => ((codes[e] ?? 0) >> (bits - 1)) & 1;
  for (let vector = 0; singles >= 0 && vector < 8; vector++) {
    const e = vector * 4;
    const nibble = single(e) | (single(e + 1) << 1) | (single(e + 2) << 2) | (single(e + 3) << 3);
    const at = base + singles + vector * 8 + (row >> 1);
    group[at] = row % 2 === 0 ? nibble : (group[at] ?? 0) | (nibble << 4);
  }
  const pairShift = bits === 6 ? 4 : 0;
  const pair = (e: number): number => ((codes[e] ?? 0) >> pairShift) & 3;
  for (let half = 0; pairs >= 0 && half < 2; half++) {
    for (let i = 0; i < 4; i++) {
      const e = half * 16 + i;
      group[base + pairs + half * 64 + row * 4 + i] = pair(e) | (pair(e + 4) << 2) | (pair(e + 8) << 4) | (pair(e + 12) << 6);
    }
  }
}

function unpackCodes(bits: CodeBits, codes: Uint8Array, group: Uint8Array, base: number, row: number): void {
  const { nibbles, pairs, singles } = planesOf(bits);
  for (let e = 0; e < 32; e++) {
    const half = e >> 4;
    const vector = (e & 15) >> 2;
    const i = e & 3;
    let code = 0;
    if (nibbles >= 0) {
      code |= ((group[base + nibbles + vector * 64 + row * 4 + i] ?? 0) >> (4 * half)) & 15;
    }
    if (pairs >= 0) {
      code |= (((group[base + pairs + half * 64 + row * 4 + i] ?? 0) >> (2 * vector)) & 3) << (bits === 6 ? 4 : 0);
    }
    if (singles >= 0) {
      code |= (((group[base + singles + half * 32 + vector * 8 + (row >> 1)] ?? 0) >> ((row & 1) * 4 + i)) & 1) << (bits - 1);
    }
    codes[e] = code;
  }
}
