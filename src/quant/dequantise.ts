/** Raw rows of a file to floats, by GGML's formulas. */
import { TarsError } from '../errors/index.js';
import { blockTypes, rawRowBytes, type BlockType } from './block-type.js';
import { bfloatsToFloats, halfToFloat, halvesToFloats } from './float16.js';
import { q6, readCodes, readFactors, type WideBlockType } from './raw-blocks.js';

/**
 * Values of whole rows: `raw` is any number of rows of `numCols` elements, one after the other.
 * Q4_0: (code - 8) * scale; Q4_1: code * scale + min; Q8_0: code * scale; Q5_0 and Q5_1 as those of 4 bits with an offset of 16;
 * Q4_K, Q5_K: code * (scale * factor) - min * factor; Q6_K: (scale * factor) * (code - 32). Every step rounds to single precision
 * as in GGML.
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
    case 'Q5_0':
    case 'Q5_1':
    case 'Q4_K':
    case 'Q5_K':
    case 'Q6_K':
      return dequantiseWide(type, raw);
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

function dequantiseWide(type: WideBlockType, raw: Uint8Array): Float32Array {
  const { blockBytes, blockElements } = blockTypes[type];
  const values = new Float32Array((raw.length / blockBytes) * blockElements);
  const codes = new Uint8Array(32);
  const factors = new Uint8Array(16);
  for (let target = 0, at = 0; at < raw.length; at += blockBytes) {
    readFactors(raw, at, factors);
    for (let index = 0; index < blockElements / 32; index++, target += 32) {
      readCodes(type, raw, at, index, codes);
      for (let e = 0; e < 32; e++) {
        const { scale, min } = rawFactors(type, raw, at, factors, index, e);
        const offset = type === 'Q5_0' ? 16 : type === 'Q6_K' ? 32 : 0;
        values[target + e] = Math.fround(((codes[e] ?? 0) - offset) * scale) + min;
      }
    }
  }
  return values;
}

/** Scale and min of element `e` of block `index`; x + -0 is x for every x. */
function rawFactors(
  type: WideBlockType,
  raw: Uint8Array,
  at: number,
  factors: Uint8Array,
  index: number,
  e: number,
): { readonly scale: number; readonly min: number } {
  switch (type) {
    case 'Q5_0':
      return { scale: readHalf(raw, at), min: -0 };
    case 'Q5_1':
      return { scale: readHalf(raw, at), min: readHalf(raw, at + 2) };
    case 'Q4_K':
    case 'Q5_K':
      return {
        scale: Math.fround(readHalf(raw, at) * (factors[index] ?? 0)),
        min: -Math.fround(readHalf(raw, at + 2) * (factors[8 + index] ?? 0)),
      };
    case 'Q6_K': {
      const factor = ((raw[at + q6.factorsAt + 2 * index + (e >> 4)] ?? 0) << 24) >> 24;
      return { scale: Math.fround(readHalf(raw, at + q6.scaleAt) * factor), min: -0 };
    }
    default:
      return type satisfies never;
  }
}

function readHalf(raw: Uint8Array, offset: number): number {
  return halfToFloat((raw[offset] ?? 0) | ((raw[offset + 1] ?? 0) << 8));
}
