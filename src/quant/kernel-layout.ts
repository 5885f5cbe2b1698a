/**
 * The layout that the native kernels read. A packed matrix is its groups of 16 output rows, one after the other; the last
 * group is padded with zero rows. Every group is a multiple of 64 bytes, so a matrix that starts on a cache line keeps all
 * its vectors on cache lines, and groups of several matrices may be concatenated or interleaved freely.
 *
 * Quantised types: a group is a run of tiles of 16 rows x 64 columns (a last tile may have 32):
 *   [64 B: f16 scale of row r in block b at (b * 16 + r) * 2]  [q4_1: 64 B of mins alike]  [codes of block 0] [codes of block 1]
 *   4 bits, 256 B a block: byte j*64 + r*4 + i holds element 4j+i of row r (low) and element 16+4j+i (high), j < 4, i < 4
 *   8 bits, 512 B a block: byte j*64 + r*4 + i holds element 4j+i of row r as code + 128, j < 8
 * Float types: column by column, 16 rows each; 16-bit types pad an odd number of columns with one zero column.
 */
import { rawRowBytes, type BlockType } from './block-type.js';

export type KernelType = 'f32' | 'f16' | 'bf16' | 'q4_0' | 'q4_1' | 'q8_0';

/** Changes whenever the bytes of any packed matrix would change; part of the key of every written package. */
export const kernelLayoutVersion = 1;

/** Output rows in one group. */
export const rowsPerGroup = 16;

export interface KernelTypeInfo {
  readonly blockType: BlockType;
  /** Quantised types: bytes of scales (and mins) at the head of a tile; 0 for float types. */
  readonly tileHeaderBytes: number;
  /** Quantised types: bytes of the codes of one block of 16 rows x 32 columns; 0 for float types. */
  readonly blockCodeBytes: number;
  /** Float types: bytes of one element; 0 for quantised types. */
  readonly elementBytes: number;
}

export const kernelTypes: Readonly<Record<KernelType, KernelTypeInfo>> = {
  f32: { blockType: 'F32', tileHeaderBytes: 0, blockCodeBytes: 0, elementBytes: 4 },
  f16: { blockType: 'F16', tileHeaderBytes: 0, blockCodeBytes: 0, elementBytes: 2 },
  bf16: { blockType: 'BF16', tileHeaderBytes: 0, blockCodeBytes: 0, elementBytes: 2 },
  q4_0: { blockType: 'Q4_0', tileHeaderBytes: 64, blockCodeBytes: 256, elementBytes: 0 },
  q4_1: { blockType: 'Q4_1', tileHeaderBytes: 128, blockCodeBytes: 256, elementBytes: 0 },
  q8_0: { blockType: 'Q8_0', tileHeaderBytes: 64, blockCodeBytes: 512, elementBytes: 0 },
};

/** The kernel type that holds an exact image of a file's type. */
export function kernelTypeOf(blockType: BlockType): KernelType {
  return blockType.toLowerCase() as Lowercase<BlockType>;
}

/** Bytes of one group of 16 rows with `numCols` columns; a multiple of 64. Throws when the columns are not whole blocks. */
export function packedGroupBytes(type: KernelType, numCols: number): number {
  const { blockType, tileHeaderBytes, blockCodeBytes, elementBytes } = kernelTypes[type];
  rawRowBytes(blockType, numCols);
  if (elementBytes > 0) {
    return Math.ceil((numCols * elementBytes * rowsPerGroup) / 64) * 64;
  }
  return Math.ceil(numCols / 64) * tileHeaderBytes + (numCols / 32) * blockCodeBytes;
}

/** Bytes of a packed matrix of `numRows` output rows. */
export function packedByteLength(type: KernelType, numRows: number, numCols: number): number {
  return Math.ceil(numRows / rowsPerGroup) * packedGroupBytes(type, numCols);
}
