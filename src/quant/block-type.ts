/** The tensor types of GGML files that TARS reads, and how their bytes are laid out in a row. */
import { TarsError } from '../errors/index.js';

export type BlockType = 'F32' | 'F16' | 'BF16' | 'Q4_0' | 'Q4_1' | 'Q8_0';

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
  Q8_0: { ggmlId: 8, blockElements: 32, blockBytes: 34 }, // f16 scale, 32 signed codes
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
