/** Raw rows of a file to floats, by GGML's formulas. */
import { TarsError } from '../errors/index.js';
import { blockTypes, rawRowBytes, type BlockType } from './block-type.js';
import { bfloatsToFloats, halfToFloat, halvesToFloats } from './float16.js';
import {
  iq4Values,
  mxfp4Values,
  readCodes,
  readFactors,
  superBlocks,
  type SuperBlockType,
  type WideBlockType,
} from './raw-blocks.js';

/**
 * Values of whole rows: `raw` is any number of rows of `numCols` elements, one after the other.
 * Q4_0: (code - 8) * scale; Q4_1: code * scale + min; Q8_0: code * scale; Q5_0 and Q5_1 as those of 4 bits with an offset of 16;
 * Q2_K, Q4_K, Q5_K: code * (scale * factor) - min * factor; Q3_K, Q6_K: (scale * factor) * (code - 4 or 32); IQ4_NL, IQ4_XS,
 * MXFP4: an entry of a table * scale. Every step rounds to single precision as in GGML.
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
    case 'Q2_K':
    case 'Q3_K':
    case 'Q4_K':
    case 'Q5_K':
    case 'Q6_K':
    case 'IQ4_NL':
    case 'IQ4_XS':
    case 'MXFP4':
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

/** What the code of each wide type stands for: the code less an offset, or an entry of a table. */
const codeValues: Readonly<Record<WideBlockType, readonly number[]>> = {
  Q5_0: Array.from({ length: 32 }, (_, code) => code - 16),
  Q5_1: Array.from({ length: 32 }, (_, code) => code),
  Q2_K: [0, 1, 2, 3],
  Q3_K: Array.from({ length: 8 }, (_, code) => code - 4),
  Q4_K: Array.from({ length: 16 }, (_, code) => code),
  Q5_K: Array.from({ length: 32 }, (_, code) => code),
  Q6_K: Array.from({ length: 64 }, (_, code) => code - 32),
  IQ4_NL: iq4Values,
  IQ4_XS: iq4Values,
  MXFP4: mxfp4Values,
};

function dequantiseWide(type: WideBlockType, raw: Uint8Array): Float32Array {
  const { blockBytes, blockElements } = blockTypes[type];
  const values = new Float32Array((raw.length / blockBytes) * blockElements);
  const codes = new Uint8Array(32);
  const factors = new Uint8Array(16);
  const ofCode = codeValues[type];
  for (let target = 0, at = 0; at < raw.length; at += blockBytes) {
    if (type in superBlocks) {
      readFactors(type as SuperBlockType, raw, at, factors);
    }
    for (let index = 0; index < blockElements / 32; index++, target += 32) {
      readCodes(type, raw, at, index, codes);
      for (let half = 0; half < 2; half++) {
        const { scale, min } = halfFactors(type, raw, at, factors, index, half);
        for (let e = half * 16; e < half * 16 + 16; e++) {
          values[target + e] = Math.fround((ofCode[codes[e] ?? 0] ?? 0) * scale) + min;
        }
      }
    }
  }
  return values;
}

/** Scale and min of half `half` of block `index`; x + -0 is x for every x. */
function halfFactors(
  type: WideBlockType,
  raw: Uint8Array,
  at: number,
  factors: Uint8Array,
  index: number,
  half: number,
): { readonly scale: number; readonly min: number } {
  const signed = (i: number): number => ((factors[i] ?? 0) << 24) >> 24;
  switch (type) {
    case 'Q5_0':
    case 'IQ4_NL':
      return { scale: readHalf(raw, at), min: -0 };
    case 'Q5_1':
      return { scale: readHalf(raw, at), min: readHalf(raw, at + 2) };
    case 'Q2_K': {
      const both = factors[2 * index + half] ?? 0;
      const { scaleAt } = superBlocks[type];
      return {
        scale: Math.fround(readHalf(raw, at + scaleAt) * (both & 15)),
        min: -Math.fround(readHalf(raw, at + scaleAt + 2) * (both >> 4)),
      };
    }
    case 'Q4_K':
    case 'Q5_K':
      return {
        scale: Math.fround(readHalf(raw, at) * (factors[index] ?? 0)),
        min: -Math.fround(readHalf(raw, at + 2) * (factors[8 + index] ?? 0)),
      };
    case 'Q3_K':
    case 'Q6_K':
      return { scale: Math.fround(readHalf(raw, at + superBlocks[type].scaleAt) * signed(2 * index + half)), min: -0 };
    case 'IQ4_XS':
      return { scale: Math.fround(readHalf(raw, at) * signed(index)), min: -0 };
    case 'MXFP4':
      return { scale: 2 ** ((raw[at] ?? 0) - 128), min: -0 };
    default:
      return type satisfies never;
  }
}

function readHalf(raw: Uint8Array, offset: number): number {
  return halfToFloat((raw[offset] ?? 0) | ((raw[offset + 1] ?? 0) << 8));
}
