// Where GGML's block types with more than four bits or with super-blocks of 256 keep their codes and factors. A block here is 32
// elements: block `index` of the raw block that begins at `at` (always 0 for types of 32 elements).
import type { BlockType } from './block-type.js';

/** Types that this file knows. */
export type WideBlockType = 'Q5_0' | 'Q5_1' | 'Q4_K' | 'Q5_K' | 'Q6_K';

export function isWideBlockType(type: BlockType): type is WideBlockType {
  return type in codePlaces;
}

interface CodePlace {
  readonly bits: 4 | 5 | 6;
  /** Offset of the nibbles. */
  readonly low: number;
  /** Offset of the bits above them. */
  readonly high: number;
}

const codePlaces: Readonly<Record<WideBlockType, CodePlace>> = {
  Q5_0: { bits: 5, low: 6, high: 2 },
  Q5_1: { bits: 5, low: 8, high: 4 },
  Q4_K: { bits: 4, low: 16, high: 0 },
  Q5_K: { bits: 5, low: 48, high: 16 },
  Q6_K: { bits: 6, low: 0, high: 128 },
};

export function bitsOf(type: WideBlockType): 4 | 5 | 6 {
  return codePlaces[type].bits;
}

/**
 * Where the codes of block `index` lie: element e has its nibble in byte `low + e` and the bits above it in byte `high + e`, at
 * these shifts. Types of 32 elements pair them: elements e and e + 16 share a byte, and eight fifth bits do.
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
      return { low, lowShift: 0, high, highShift: 0, isPaired: true };
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
  const highMask = (1 << (bitsOf(type) - 4)) - 1;
  for (let e = 0; e < 32; e++) {
    const nibble = isPaired ? (raw[at + low + (e & 15)] ?? 0) >> ((e >> 4) * 4) : (raw[at + low + e] ?? 0) >> lowShift;
    const above = isPaired ? (raw[at + high + (e >> 3)] ?? 0) >> (e & 7) : (raw[at + high + e] ?? 0) >> highShift;
    codes[e] = (nibble & 15) | ((above & highMask) << 4);
  }
}

/** Writes the 32 codes of a block into bytes whose code bits are zero. */
export function writeCodes(type: WideBlockType, raw: Uint8Array, at: number, index: number, codes: Uint8Array): void {
  const { low, lowShift, high, highShift, isPaired } = placeOf(type, index);
  const hasHigh = bitsOf(type) > 4;
  for (let e = 0; e < 32; e++) {
    const code = codes[e] ?? 0;
    const lowAt = at + low + (isPaired ? e & 15 : e);
    raw[lowAt] = (raw[lowAt] ?? 0) | ((code & 15) << (isPaired ? (e >> 4) * 4 : lowShift));
    if (hasHigh) {
      const highAt = at + high + (isPaired ? e >> 3 : e);
      raw[highAt] = (raw[highAt] ?? 0) | ((code >> 4) << (isPaired ? e & 7 : highShift));
    }
  }
}

/** Offset of the 12 bytes with 8 scales and 8 mins of 6 bits in a block of Q4_K or Q5_K. */
const factorsAt = 4;

/** Reads the eight scales, then the eight mins, of 6 bits each (Q4_K, Q5_K). */
export function readFactors(raw: Uint8Array, at: number, factors: Uint8Array): void {
  const byte = (index: number): number => raw[at + factorsAt + index] ?? 0;
  for (let j = 0; j < 4; j++) {
    factors[j] = byte(j) & 63;
    factors[8 + j] = byte(4 + j) & 63;
    factors[4 + j] = (byte(8 + j) & 15) | ((byte(j) >> 6) << 4);
    factors[12 + j] = (byte(8 + j) >> 4) | ((byte(4 + j) >> 6) << 4);
  }
}

export function writeFactors(raw: Uint8Array, at: number, factors: Uint8Array): void {
  const factor = (index: number): number => factors[index] ?? 0;
  for (let j = 0; j < 4; j++) {
    raw[at + factorsAt + j] = factor(j) | ((factor(4 + j) >> 4) << 6);
    raw[at + factorsAt + 4 + j] = factor(8 + j) | ((factor(12 + j) >> 4) << 6);
    raw[at + factorsAt + 8 + j] = (factor(4 + j) & 15) | ((factor(12 + j) & 15) << 4);
  }
}

/** Offsets of the factors and of the scale in a block of Q6_K. */
export const q6 = { factorsAt: 192, scaleAt: 208 } as const;
