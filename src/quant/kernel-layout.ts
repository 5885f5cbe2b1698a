/**
 * The layout that the native kernels read. A packed matrix is its groups of 16 output rows, one after the other; the last
 * group is padded with zero rows. Every group is a multiple of 64 bytes, so a matrix that starts on a cache line keeps all
 * its vectors on cache lines, and groups of several matrices may be concatenated or interleaved freely.
 *
 * Quantised types: a group is a run of tiles: a header with the factors of 16 rows, then the codes of each block of 32 columns.
 * Header of 64 columns (a last tile may have 32):
 *   [64 B: f16 scale of row r in block b at (b * 16 + r) * 2]  [q4_1, q5_1: 64 B of mins alike]
 * Header of 128 columns (mxfp4; a last tile may have fewer):
 *   [64 B: exponent of row r in block b at b * 16 + r]
 * Header of 256 columns (k types, iq4_xs), 320 B or (iq4_xs) 192 B:
 *   [32 B: f16 scales]  [32 B: f16 mins with their signs turned, or zeros]
 *   q4_k, q5_k: [256 B: byte of row r for block b at b * 16 + r; from 128 on those of the mins]
 *   q3_k, q6_k: [256 B: signed byte of row r for columns 16 c to 16 c + 15 at c * 16 + r]
 *   q2_k:       [256 B: the same with the factor of the scale in the low nibble, that of the min in the high one]
 *   iq4_xs:     [128 B: signed byte of row r for block b at b * 16 + r]
 * Codes of a block:
 *   2 bits, 128 B: bits 2j and 2j+1 of byte h*64 + r*4 + i are element 16h+4j+i of row r, j < 4, i < 4
 *   3 bits: then 64 B: bit r*4 + i of the 8 bytes at h*32 + j*8 is bit 2 of element 16h+4j+i of row r
 *   4 bits, 256 B: byte j*64 + r*4 + i holds element 4j+i of row r (low) and element 16+4j+i (high)
 *   5 bits: then 64 B of bits 4, as those of bits 2 above
 *   6 bits: then 128 B of bits 4 and 5, as those of 2 bits above
 *   8 bits, 512 B: byte j*64 + r*4 + i holds element 4j+i of row r as code + 128, j < 8
 * Float types: column by column, 16 rows each; 16-bit types pad an odd number of columns with one zero column.
 */
import { rawRowBytes, type BlockType } from './block-type.js';

export type KernelType = Lowercase<BlockType>;

/** Changes whenever the bytes of any packed matrix would change; part of the key of every written package. */
export const kernelLayoutVersion = 1;

/** Output rows in one group. */
export const rowsPerGroup = 16;

export interface KernelTypeInfo {
  readonly blockType: BlockType;
  /** Quantised types: columns that share a header; 0 for float types. */
  readonly tileColumns: number;
  /** Quantised types: bytes of scales (and mins) at the head of a tile; 0 for float types. */
  readonly tileHeaderBytes: number;
  /** Quantised types: bytes of the codes of one block of 16 rows x 32 columns; 0 for float types. */
  readonly blockCodeBytes: number;
  /** Float types: bytes of one element; 0 for quantised types. */
  readonly elementBytes: number;
}

export const kernelTypes: Readonly<Record<KernelType, KernelTypeInfo>> = {
  f32: { blockType: 'F32', tileColumns: 0, tileHeaderBytes: 0, blockCodeBytes: 0, elementBytes: 4 },
  f16: { blockType: 'F16', tileColumns: 0, tileHeaderBytes: 0, blockCodeBytes: 0, elementBytes: 2 },
  bf16: { blockType: 'BF16', tileColumns: 0, tileHeaderBytes: 0, blockCodeBytes: 0, elementBytes: 2 },
  q4_0: { blockType: 'Q4_0', tileColumns: 64, tileHeaderBytes: 64, blockCodeBytes: 256, elementBytes: 0 },
  q4_1: { blockType: 'Q4_1', tileColumns: 64, tileHeaderBytes: 128, blockCodeBytes: 256, elementBytes: 0 },
  q5_0: { blockType: 'Q5_0', tileColumns: 64, tileHeaderBytes: 64, blockCodeBytes: 320, elementBytes: 0 },
  q5_1: { blockType: 'Q5_1', tileColumns: 64, tileHeaderBytes: 128, blockCodeBytes: 320, elementBytes: 0 },
  q8_0: { blockType: 'Q8_0', tileColumns: 64, tileHeaderBytes: 64, blockCodeBytes: 512, elementBytes: 0 },
  q2_k: { blockType: 'Q2_K', tileColumns: 256, tileHeaderBytes: 320, blockCodeBytes: 128, elementBytes: 0 },
  q3_k: { blockType: 'Q3_K', tileColumns: 256, tileHeaderBytes: 320, blockCodeBytes: 192, elementBytes: 0 },
  q4_k: { blockType: 'Q4_K', tileColumns: 256, tileHeaderBytes: 320, blockCodeBytes: 256, elementBytes: 0 },
  q5_k: { blockType: 'Q5_K', tileColumns: 256, tileHeaderBytes: 320, blockCodeBytes: 320, elementBytes: 0 },
  q6_k: { blockType: 'Q6_K', tileColumns: 256, tileHeaderBytes: 320, blockCodeBytes: 384, elementBytes: 0 },
  iq4_nl: { blockType: 'IQ4_NL', tileColumns: 64, tileHeaderBytes: 64, blockCodeBytes: 256, elementBytes: 0 },
  iq4_xs: { blockType: 'IQ4_XS', tileColumns: 256, tileHeaderBytes: 192, blockCodeBytes: 256, elementBytes: 0 },
  mxfp4: { blockType: 'MXFP4', tileColumns: 128, tileHeaderBytes: 64, blockCodeBytes: 256, elementBytes: 0 },
};

/** The kernel type that holds an exact image of a file's type. */
export function kernelTypeOf(blockType: BlockType): KernelType {
  return blockType.toLowerCase() as Lowercase<BlockType>;
}

/** Bytes of one group of 16 rows with `numCols` columns; a multiple of 64. Throws when the columns are not whole blocks. */
export function packedGroupBytes(type: KernelType, numCols: number): number {
  const { blockType, tileColumns, tileHeaderBytes, blockCodeBytes, elementBytes } = kernelTypes[type];
  rawRowBytes(blockType, numCols);
  if (elementBytes > 0) {
    return Math.ceil((numCols * elementBytes * rowsPerGroup) / 64) * 64;
  }
  return Math.ceil(numCols / tileColumns) * tileHeaderBytes + (numCols / 32) * blockCodeBytes;
}

/** Bytes of a packed matrix of `numRows` output rows. */
export function packedByteLength(type: KernelType, numRows: number, numCols: number): number {
  return Math.ceil(numRows / rowsPerGroup) * packedGroupBytes(type, numCols);
}
