/** Raw rows of a file to floats, by GGML's formulas. */
import { TarsError } from '../errors/index.js';
import { blockTypes, rawRowBytes, type BlockType } from './block-type.js';
import { bfloatsToFloats, halfToFloat, halvesToFloats } from './float16.js';

/**
 * Values of whole rows: `raw` is any number of rows of `numCols` elements, one after the other.
 * Q4_0: (code - 8) * scale; Q4_1: code * scale + min; Q8_0: code * scale; every step rounds to single precision as in GGML.
 * Throws when `raw` is not a whole number of rows.
 */
export function dequantiseRows(type: BlockType, raw: Uint8Array, numCols: number): Float32Array {
  if (raw.length % rawRowBytes(type, numCols) !== 0) {
    throw new TarsError('BAD_REQUEST', { reason: `${raw.length} bytes are not whole rows of ${numCols} ${type} elements` });
  }
  switch (type) {
    case 'F32':
      return new Float32Array(raw.slice().buffer);
    case 'F16':
      return halvesToFloats(raw);
    case 'BF16':
      return bfloatsToFloats(raw);
    case 'Q4_0':
      return dequantiseNibbles(raw, blockTypes.Q4_0.blockBytes, 2, -8);
    case 'Q4_1':
      return dequantiseNibbles(raw, blockTypes.Q4_1.blockBytes, 4, 0);
    case 'Q8_0':
      return dequantiseBytes(raw);
    default:
      throw new TarsError('INTERNAL', { reason: `no formula for type ${String(type satisfies never)}` });
  }
}

/** 4-bit blocks: byte j of the codes holds element j (low) and element 16 + j (high). A header of 4 bytes has a min after the scale. */
function dequantiseNibbles(raw: Uint8Array, blockBytes: number, headerBytes: 2 | 4, codeOffset: number): Float32Array {
  const numBlocks = raw.length / blockBytes;
  const values = new Float32Array(numBlocks * 32);
  for (let block = 0; block < numBlocks; block++) {
    const source = block * blockBytes;
    const target = block * 32;
    const scale = readHalf(raw, source);
    const min = headerBytes === 4 ? readHalf(raw, source + 2) : -0; // x + -0 is x, for x = -0 too
    for (let j = 0; j < 16; j++) {
      const byte = raw[source + headerBytes + j] ?? 0;
      values[target + j] = Math.fround(((byte & 15) + codeOffset) * scale) + min;
      values[target + 16 + j] = Math.fround(((byte >> 4) + codeOffset) * scale) + min;
    }
  }
  return values;
}

function dequantiseBytes(raw: Uint8Array): Float32Array {
  const { blockBytes } = blockTypes.Q8_0;
  const numBlocks = raw.length / blockBytes;
  const codes = new Int8Array(raw.buffer, raw.byteOffset, raw.length);
  const values = new Float32Array(numBlocks * 32);
  for (let block = 0; block < numBlocks; block++) {
    const source = block * blockBytes;
    const scale = readHalf(raw, source);
    for (let j = 0; j < 32; j++) {
      values[block * 32 + j] = (codes[source + 2 + j] ?? 0) * scale;
    }
  }
  return values;
}

function readHalf(raw: Uint8Array, offset: number): number {
  return halfToFloat((raw[offset] ?? 0) | ((raw[offset + 1] ?? 0) << 8));
}
