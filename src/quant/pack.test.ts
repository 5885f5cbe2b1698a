import { describe, expect, it } from 'vitest';
import {
  blockTypes,
  kernelTypes,
  packedByteLength,
  packedGroupBytes,
  packRowGroup,
  rawRowBytes,
  unpackRows,
  type KernelType,
} from './index.js';

const types = Object.keys(kernelTypes) as KernelType[];

/** Deterministic bytes that never repeat with the period of a row. */
function noise(length: number): Uint8Array {
  let state = 12345;
  return Uint8Array.from({ length }, () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 24);
}

function pack(type: KernelType, raw: Uint8Array, numRows: number, numCols: number): Uint8Array {
  const rowBytes = rawRowBytes(kernelTypes[type].blockType, numCols);
  const packed = new Uint8Array(packedByteLength(type, numRows, numCols)).fill(0xaa);
  for (let first = 0; first < numRows; first += 16) {
    const rows = raw.subarray(first * rowBytes, Math.min(first + 16, numRows) * rowBytes);
    packRowGroup(type, rows, numCols, packed, (first / 16) * packedGroupBytes(type, numCols));
  }
  return packed;
}

describe.each(types)('packRowGroup %s', (type) => {
  const unit = blockTypes[kernelTypes[type].blockType].blockElements === 256 ? 256 : 32;

  it.each([
    [16, 1],
    [16, 2],
    [5, 3],
    [33, 18],
  ])('keeps every bit of %i rows of %i units', (numRows, numUnits) => {
    const numCols = numUnits * unit;
    const raw = noise(numRows * rawRowBytes(kernelTypes[type].blockType, numCols));
    const packed = pack(type, raw, numRows, numCols);
    expect(packedGroupBytes(type, numCols) % 64).toBe(0);
    expect(unpackRows(type, packed, numRows, numCols)).toEqual(raw);
  });

  it('refuses sizes that do not fit', () => {
    const numCols = 2 * unit;
    const rowBytes = rawRowBytes(kernelTypes[type].blockType, numCols);
    const groupBytes = packedGroupBytes(type, numCols);
    expect(() => packRowGroup(type, new Uint8Array(17 * rowBytes), numCols, new Uint8Array(groupBytes), 0)).toThrow(
      'cannot pack',
    );
    expect(() => packRowGroup(type, new Uint8Array(16 * rowBytes), numCols, new Uint8Array(groupBytes), 1)).toThrow(
      'cannot pack',
    );
    expect(() => packRowGroup(type, new Uint8Array(0), numCols, new Uint8Array(groupBytes), 0)).toThrow('cannot pack');
    expect(() => unpackRows(type, new Uint8Array(groupBytes - 1), 16, numCols)).toThrow(`are not 16 x ${numCols}`);
  });
});

describe('layout', () => {
  it('puts scales, codes and padding where the kernels read them', () => {
    const rowBytes = rawRowBytes('Q4_0', 96);
    const raw = noise(2 * rowBytes);
    const packed = pack('q4_0', raw, 2, 96);
    const block = 2;
    const source = rowBytes + block * 18; // row 1, third block: the half tile
    const tile = 64 + 512;
    expect([...packed.subarray(tile + 2, tile + 4)]).toEqual([...raw.subarray(source, source + 2)]);
    expect(packed[tile + 64 + 3 * 64 + 1 * 4 + 2]).toBe(raw[source + 2 + 4 * 3 + 2]);
    expect(packed.subarray(tile + 32, tile + 64).every((byte) => byte === 0)).toBe(true);
    expect(packed.length).toBe(576 + 320);
  });

  it('stores 8-bit codes with an offset of 128 and pads odd columns of 16-bit types', () => {
    const raw = new Uint8Array(rawRowBytes('Q8_0', 32));
    raw[2] = 0xff; // code -1
    expect(pack('q8_0', raw, 1, 32)[64]).toBe(127);
    expect(packedGroupBytes('f16', 3)).toBe(128);
    expect(unpackRows('bf16', pack('bf16', noise(6), 1, 3), 1, 3)).toEqual(noise(6));
  });
});
