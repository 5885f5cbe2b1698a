/** The tensor types of GGML files that TARS reads, and how their bytes are laid out in a row. */
import { TarsError } from '../errors/index.js';

export type BlockType =
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q2_K'
  | 'Q3_K'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K'
  | 'IQ4_NL'
  | 'IQ4_XS'
  | 'MXFP4';

export interface BlockTypeInfo {
  /** Number of the type in GGUF files (`ggml_type`). */
  readonly ggmlId: number;
  /** Elements that share one block; a row is a whole number of blocks. */
  readonly blockElements: number;
  readonly blockBytes: number;
}

export const blockTypes: Readonly<Record<BlockType, BlockTypeInfo>> = {
  F32: { ggmlId: 0, blockElements: 1, blockBytes: 4 },
  F16: { ggmlId: 1, blockElements: 1, blockBytes: 2 },
  BF16: { ggmlId: 30, blockElements: 1, blockBytes: 2 },
  Q4_0: { ggmlId: 2, blockElements: 32, blockBytes: 18 }, // f16 scale, 16 bytes of codes
  Q4_1: { ggmlId: 3, blockElements: 32, blockBytes: 20 }, // f16 scale, f16 min, 16 bytes of codes
  Q5_0: { ggmlId: 6, blockElements: 32, blockBytes: 22 }, // f16 scale, 32 fifth bits, 16 bytes of low bits
  Q5_1: { ggmlId: 7, blockElements: 32, blockBytes: 24 }, // f16 scale, f16 min, 32 fifth bits, 16 bytes of low bits
  Q8_0: { ggmlId: 8, blockElements: 32, blockBytes: 34 }, // f16 scale, 32 signed codes
  Q2_K: { ggmlId: 10, blockElements: 256, blockBytes: 84 }, // 16 bytes of factors (scale low, min high), 64 of codes, f16 scale, f16 min
  Q3_K: { ggmlId: 11, blockElements: 256, blockBytes: 110 }, // 32 bytes of third bits, 64 of low bits, 16 factors of 6 bits, f16 scale
  Q4_K: { ggmlId: 12, blockElements: 256, blockBytes: 144 }, // f16 scale, f16 min, 8 + 8 factors of 6 bits, 128 bytes of codes
  Q5_K: { ggmlId: 13, blockElements: 256, blockBytes: 176 }, // the same with 32 bytes of fifth bits before the codes
  Q6_K: { ggmlId: 14, blockElements: 256, blockBytes: 210 }, // 128 bytes of low bits, 64 of high bits, 16 signed factors, f16 scale
  IQ4_NL: { ggmlId: 20, blockElements: 32, blockBytes: 18 }, // as Q4_0; codes name entries of a table
  IQ4_XS: { ggmlId: 23, blockElements: 256, blockBytes: 136 }, // f16 scale, 8 factors of 6 bits (high bits first), 128 bytes of codes
  MXFP4: { ggmlId: 39, blockElements: 32, blockBytes: 17 }, // exponent, 16 bytes of codes that name entries of a table
};

/** The type with this GGML number, or undefined when TARS does not read it. */
export function blockTypeOfGgmlId(ggmlId: number): BlockType | undefined {
  return (Object.keys(blockTypes) as BlockType[]).find((type) => blockTypes[type].ggmlId === ggmlId);
}

/** Bytes of one row of `numCols` elements as stored in a file. Throws when the row is not a whole number of blocks. */
export function rawRowBytes(type: BlockType, numCols: number): number {
  const { blockElements, blockBytes } = blockTypes[type];
  if (!Number.isSafeInteger(numCols) || numCols < 1 || numCols % blockElements !== 0) {
    throw new TarsError('BAD_REQUEST', { reason: `a row of ${numCols} elements is not a whole number of ${type} blocks` });
  }
  return (numCols / blockElements) * blockBytes;
}
