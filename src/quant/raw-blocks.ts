// Where GGML's block types with more than four bits or with super-blocks of 256 keep their codes and factors. A block here is 32
// elements: block `index` of the raw block that begins at `at` (always 0 for types of 32 elements).
import type { BlockType } from './block-type.js';

/** Types that this file knows. */
export type WideBlockType = 'Q5_0' | 'Q5_1' | 'Q2_K' | 'Q3_K' | 'Q4_K' | 'Q5_K' | 'Q6_K' | 'IQ4_NL' | 'IQ4_XS' | 'MXFP4';

export function isWideBlockType(type: BlockType): type is WideBlockType {
  return type in codePlaces;
}

export type CodeBits = 2 | 3 | 4 | 5 | 6;

interface CodePlace {
  readonly bits: CodeBits;
  /** Offset of the nibbles, or of the lower 2 bits of codes of 2 and 3 bits. */
  readonly low: number;
  /** Offset of the bits above them. */
  readonly high: number;
}

const codePlaces: Readonly<Record<WideBlockType, CodePlace>> = {
  Q5_0: { bits: 5, low: 6, high: 2 },
  Q5_1: { bits: 5, low: 8, high: 4 },
  Q2_K: { bits: 2, low: 16, high: 0 },
  Q3_K: { bits: 3, low: 32, high: 0 },
  Q4_K: { bits: 4, low: 16, high: 0 },
  Q5_K: { bits: 5, low: 48, high: 16 },
  Q6_K: { bits: 6, low: 0, high: 128 },
  IQ4_NL: { bits: 4, low: 2, high: 0 },
  IQ4_XS: { bits: 4, low: 8, high: 0 },
  MXFP4: { bits: 4, low: 1, high: 0 },
};

export function bitsOf(type: WideBlockType): CodeBits {
  return codePlaces[type].bits;
}

/**
 * Where the codes of block `index` lie: element e has its nibble (or 2 bits) in byte `low + e` and the bits above it in byte
 * `high + e`, at these shifts. Types whose nibbles are paired have elements e and e + 16 in one byte, and eight fifth bits.
 */
interface BlockPlace {
  readonly low: number;
  readonly lowShift: number;
  readonly high: number;
  readonly highShift: number;
  readonly isPaired: boolean;
}

function placeOf(type: WideBlockType, index: number): BlockPlace {
  const { low, high } = codePlaces[type];
  switch (type) {
    case 'Q5_0':
    case 'Q5_1':
    case 'IQ4_NL':
    case 'MXFP4':
      return { low, lowShift: 0, high, highShift: 0, isPaired: true };
    case 'IQ4_XS':
      return { low: low + index * 16, lowShift: 0, high, highShift: 0, isPaired: true };
    case 'Q2_K':
    case 'Q3_K':
      // Halves of 128 elements: block after block two bits higher; third bits of all 8 blocks in the same bytes.
      return { low: low + (index >> 2) * 32, lowShift: (index & 3) * 2, high, highShift: index, isPaired: false };
    case 'Q4_K':
    case 'Q5_K':
      return { low: low + (index >> 1) * 32, lowShift: (index & 1) * 4, high, highShift: index, isPaired: false };
    case 'Q6_K':
      // Halves of 128 elements: blocks 0 and 1 in low nibbles, 2 and 3 in high ones.
      return {
        low: low + (index >> 2) * 64 + (index & 1) * 32,
        lowShift: ((index >> 1) & 1) * 4,
        high: high + (index >> 2) * 32,
        highShift: (index & 3) * 2,
        isPaired: false,
      };
    default:
      return type satisfies never;
  }
}

/** Reads the 32 codes of a block. */
export function readCodes(type: WideBlockType, raw: Uint8Array, at: number, index: number, codes: Uint8Array): void {
  const { low, lowShift, high, highShift, isPaired } = placeOf(type, index);
  const bits = bitsOf(type);
  const lowBits = bits < 4 ? 2 : 4;
  const lowMask = (1 << lowBits) - 1;
  const highMask = (1 << (bits - lowBits)) - 1;
  for (let e = 0; e < 32; e++) {
    const below = isPaired ? (raw[at + low + (e & 15)] ?? 0) >> ((e >> 4) * 4) : (raw[at + low + e] ?? 0) >> lowShift;
    const above = isPaired ? (raw[at + high + (e >> 3)] ?? 0) >> (e & 7) : (raw[at + high + e] ?? 0) >> highShift;
    codes[e] = (below & lowMask) | ((above & highMask) << lowBits);
  }
}

/** Writes the 32 codes of a block into bytes whose code bits are zero. */
export function writeCodes(type: WideBlockType, raw: Uint8Array, at: number, index: number, codes: Uint8Array): void {
  const { low, lowShift, high, highShift, isPaired } = placeOf(type, index);
  const bits = bitsOf(type);
  const lowBits = bits < 4 ? 2 : 4;
  const lowMask = (1 << lowBits) - 1;
  for (let e = 0; e < 32; e++) {
    const code = codes[e] ?? 0;
    const lowAt = at + low + (isPaired ? e & 15 : e);
    raw[lowAt] = (raw[lowAt] ?? 0) | ((code & lowMask) << (isPaired ? (e >> 4) * 4 : lowShift));
    if (bits > lowBits) {
      const highAt = at + high + (isPaired ? e >> 3 : e);
      raw[highAt] = (raw[highAt] ?? 0) | ((code >> lowBits) << (isPaired ? e & 7 : highShift));
    }
  }
}

/** Where the factors of a block of 256 elements lie, and its half scale (the half min follows it, if the type has one). */
export const superBlocks = {
  Q2_K: { factorsAt: 0, scaleAt: 80, numFactors: 16, hasMin: true },
  Q3_K: { factorsAt: 96, scaleAt: 108, numFactors: 16, hasMin: false },
  Q4_K: { factorsAt: 4, scaleAt: 0, numFactors: 16, hasMin: true },
  Q5_K: { factorsAt: 4, scaleAt: 0, numFactors: 16, hasMin: true },
  Q6_K: { factorsAt: 192, scaleAt: 208, numFactors: 16, hasMin: false },
  IQ4_XS: { factorsAt: 2, scaleAt: 0, numFactors: 8, hasMin: false },
} as const;

export type SuperBlockType = keyof typeof superBlocks;

/**
 * Reads the factors of a block of 256 elements as the kernels' layout has them: of Q4_K and Q5_K eight for scales, then eight for
 * mins; of Q2_K those for a scale (low nibble) and a min (high) of 16 columns together; of Q3_K, Q6_K (16 columns) and IQ4_XS (32)
 * as signed bytes.
 */
export function readFactors(type: SuperBlockType, raw: Uint8Array, at: number, factors: Uint8Array): void {
  const { factorsAt, numFactors } = superBlocks[type];
  const byte = (index: number): number => raw[at + factorsAt + index] ?? 0;
  switch (type) {
    case 'Q4_K':
    case 'Q5_K':
      for (let j = 0; j < 4; j++) {
        factors[j] = byte(j) & 63;
        factors[8 + j] = byte(4 + j) & 63;
        factors[4 + j] = (byte(8 + j) & 15) | ((byte(j) >> 6) << 4);
        factors[12 + j] = (byte(8 + j) >> 4) | ((byte(4 + j) >> 6) << 4);
      }
      return;
    case 'Q2_K':
    case 'Q6_K':
      for (let i = 0; i < numFactors; i++) {
        factors[i] = byte(i);
      }
      return;
    case 'Q3_K':
      for (let i = 0; i < numFactors; i++) {
        factors[i] = (((byte(i & 7) >> ((i >> 3) * 4)) & 15) | (((byte(8 + (i & 3)) >> ((i >> 2) * 2)) & 3) << 4)) - 32;
      }
      return;
    case 'IQ4_XS':
      for (let i = 0; i < numFactors; i++) {
        const high = ((byte(0) | (byte(1) << 8)) >> (2 * i)) & 3;
        factors[i] = (((byte(2 + (i >> 1)) >> ((i & 1) * 4)) & 15) | (high << 4)) - 32;
      }
      return;
    default:
      return type satisfies never;
  }
}

/** Writes what `readFactors` reads, into bytes that are zero. */
export function writeFactors(type: SuperBlockType, raw: Uint8Array, at: number, factors: Uint8Array): void {
  const { factorsAt, numFactors } = superBlocks[type];
  const factor = (index: number): number => factors[index] ?? 0;
  const put = (index: number, bits: number): void => {
    raw[at + factorsAt + index] = (raw[at + factorsAt + index] ?? 0) | bits;
  };
  switch (type) {
    case 'Q4_K':
    case 'Q5_K':
      for (let j = 0; j < 4; j++) {
        put(j, factor(j) | ((factor(4 + j) >> 4) << 6));
        put(4 + j, factor(8 + j) | ((factor(12 + j) >> 4) << 6));
        put(8 + j, (factor(4 + j) & 15) | ((factor(12 + j) & 15) << 4));
      }
      return;
    case 'Q2_K':
    case 'Q6_K':
      for (let i = 0; i < numFactors; i++) {
        put(i, factor(i));
      }
      return;
    case 'Q3_K':
      for (let i = 0; i < numFactors; i++) {
        const code = factor(i) + 32;
        put(i & 7, (code & 15) << ((i >> 3) * 4));
        put(8 + (i & 3), ((code >> 4) & 3) << ((i >> 2) * 2));
      }
      return;
    case 'IQ4_XS':
      for (let i = 0; i < numFactors; i++) {
        const code = factor(i) + 32;
        put(2 + (i >> 1), (code & 15) << ((i & 1) * 4));
        put(i >> 2, ((code >> 4) & 3) << ((2 * i) & 7));
      }
      return;
    default:
      return type satisfies never;
  }
}

/** Values of the 16 codes of IQ4_NL and IQ4_XS. */
export const iq4Values = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] as const;
/** Values of the 16 codes of MXFP4 (E2M1), doubled; the scale is halved for it. */
export const mxfp4Values = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12] as const;
