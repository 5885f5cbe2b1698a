// Deterministic tensors and packed matrices for the conformance tests.
import {
  blockTypes,
  dequantiseRows,
  kernelTypes,
  packedByteLength,
  packedGroupBytes,
  packRowGroup,
  rawRowBytes,
  rowsPerGroup,
  type KernelType,
} from '../../src/quant/index.js';

/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Values in (-1, 1), a few of them ten times larger, as activations have. */
export function randomFloats(length: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => (random() * 2 - 1) * (random() < 0.02 ? 10 : 1));
}

export interface PackedMatrix {
  readonly type: KernelType;
  readonly numRows: number;
  readonly numCols: number;
  /** Dequantised values [numRows, numCols]. */
  readonly values: Float32Array;
  readonly packed: Uint8Array;
}

/** Where the halves of a quantised block lie, and for mxfp4 its exponent. */
const factorBytes: Readonly<Partial<Record<KernelType, { readonly halves: readonly number[]; readonly exponent?: number }>>> = {
  q4_1: { halves: [0, 2] },
  q5_1: { halves: [0, 2] },
  q2_k: { halves: [80, 82] },
  q3_k: { halves: [108] },
  q4_k: { halves: [0, 2] },
  q5_k: { halves: [0, 2] },
  q6_k: { halves: [208] },
  mxfp4: { halves: [], exponent: 0 },
};

/** Raw rows whose scales and mins are of an ordinary size and whose codes are any bits. */
function randomRawRows(type: KernelType, numRows: number, numCols: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  const { blockType, elementBytes } = kernelTypes[type];
  const raw = new Uint8Array(numRows * rawRowBytes(blockType, numCols));
  if (type === 'f32') {
    new Float32Array(raw.buffer).set(randomFloats(numRows * numCols, seed));
    return raw;
  }
  const blockBytes = elementBytes > 0 ? elementBytes : blockTypes[blockType].blockBytes;
  const { halves, exponent } = factorBytes[type] ?? { halves: [0] };
  for (let offset = 0; offset < raw.length; offset++) {
    const place = offset % blockBytes;
    // Upper byte of a half or bfloat: sign and an exponent that keeps values between 2^-9 and 1.
    const upper =
      (random() < 0.5 ? 0x80 : 0) | (type === 'bf16' ? 0x3b + Math.floor(random() * 4) : 0x20 + Math.floor(random() * 24));
    const any = Math.floor(random() * 256);
    raw[offset] = halves.includes(place - 1) ? upper : place === exponent ? 118 + (any % 12) : any;
  }
  return raw;
}

export function createMatrix(type: KernelType, numRows: number, numCols: number, seed: number): PackedMatrix {
  const raw = randomRawRows(type, numRows, numCols, seed);
  const { blockType } = kernelTypes[type];
  const packed = new Uint8Array(packedByteLength(type, numRows, numCols));
  const rowBytes = rawRowBytes(blockType, numCols);
  for (let first = 0; first < numRows; first += rowsPerGroup) {
    const rows = raw.subarray(first * rowBytes, Math.min(first + rowsPerGroup, numRows) * rowBytes);
    packRowGroup(type, rows, numCols, packed, (first / rowsPerGroup) * packedGroupBytes(type, numCols));
  }
  return { type, numRows, numCols, values: dequantiseRows(blockType, raw, numCols), packed };
}

/** Groups of two matrices of one shape in turn: gate, up, gate, up, ... */
export function interleaveGroups(gate: PackedMatrix, up: PackedMatrix): Uint8Array {
  const groupBytes = packedGroupBytes(gate.type, gate.numCols);
  const both = new Uint8Array(gate.packed.length * 2);
  for (let offset = 0; offset < gate.packed.length; offset += groupBytes) {
    both.set(gate.packed.subarray(offset, offset + groupBytes), offset * 2);
    both.set(up.packed.subarray(offset, offset + groupBytes), offset * 2 + groupBytes);
  }
  return both;
}

/** What the kernels see of activations: int8 codes times a scale per block of 32, for quantised weights. */
export function quantisedActivations(values: Float32Array): Float32Array {
  const rounded = new Float32Array(values.length);
  for (let block = 0; block < values.length; block += 32) {
    const slice = values.subarray(block, block + 32);
    const largest = slice.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const scale = Math.fround(largest / 127);
    const factor = largest > 0 ? Math.fround(127 / largest) : 0;
    slice.forEach((x, i) => {
      rounded[block + i] = scale * roundToEven(Math.fround(x * factor));
    });
  }
  return rounded;
}

function roundToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) {
    return Math.round(x);
  }
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Sum in double precision, and the sum of magnitudes that bounds its rounding error. */
export function dot(a: Float32Array, b: Float32Array): { sum: number; magnitude: number } {
  let sum = 0;
  let magnitude = 0;
  for (let i = 0; i < a.length; i++) {
    const product = (a[i] ?? 0) * (b[i] ?? 0);
    sum += product;
    magnitude += Math.abs(product);
  }
  return { sum, magnitude };
}

/** Largest error of `actual` against `expected`, in units of `bounds`. */
export function worstError(actual: Float32Array, expected: Float64Array, bounds: Float64Array): number {
  let worst = 0;
  actual.forEach((value, i) => {
    const error = Math.abs(value - (expected[i] ?? 0)) / ((bounds[i] ?? 0) + 1e-30);
    worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
  });
  return worst;
}
