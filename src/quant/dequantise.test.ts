import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blockTypeOfGgmlId, dequantiseRows, rawRowBytes, type BlockType } from './index.js';

interface Fixture {
  numRows: number;
  cases: { type: BlockType; numCols: number; ggmlId: number; raw: string; expected: string }[];
}

/** Made by fixtures/make-blocks.py with the reference package. */
const fixture = JSON.parse(readFileSync(new URL('./fixtures/blocks.json', import.meta.url), 'utf8')) as Fixture;

describe('dequantiseRows', () => {
  it.each(fixture.cases)('gives the reference values of $type bit for bit', ({ type, numCols, ggmlId, raw, expected }) => {
    const bytes = new Uint8Array(Buffer.from(raw, 'base64'));
    expect(blockTypeOfGgmlId(ggmlId)).toBe(type);
    expect(bytes.length).toBe(fixture.numRows * rawRowBytes(type, numCols));
    const values = dequantiseRows(type, bytes, numCols);
    expect(Buffer.from(values.buffer).toString('base64')).toBe(expected);
  });

  it('reads rows at any alignment', () => {
    for (const { type, numCols, raw, expected } of fixture.cases) {
      const bytes = Buffer.from(raw, 'base64');
      const shifted = new Uint8Array(bytes.length + 1);
      shifted.set(bytes, 1);
      const values = dequantiseRows(type, shifted.subarray(1), numCols);
      expect(Buffer.from(values.buffer).toString('base64')).toBe(expected);
    }
  });

  it('refuses bytes that are not whole rows and columns that are not whole blocks', () => {
    expect(() => dequantiseRows('Q4_0', new Uint8Array(17), 32)).toThrow('not whole rows');
    expect(() => rawRowBytes('Q8_0', 33)).toThrow('not a whole number of Q8_0 blocks');
    expect(() => rawRowBytes('F32', 0)).toThrow('not a whole number');
    expect(blockTypeOfGgmlId(16)).toBeUndefined();
  });
});
