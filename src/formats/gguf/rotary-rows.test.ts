import { describe, expect, it } from 'vitest';
import { readRotaryRows, storedRow } from './rotary-rows.js';

/** llama.cpp's converter: reshape(heads, 2, size / 2).swapaxes(1, 2), on canonical row numbers. */
function convertedOrder(numHeads: number, headSize: number): number[] {
  const half = headSize / 2;
  return Array.from({ length: numHeads * headSize }, (_, stored) => {
    const inHead = stored % headSize;
    return stored - inHead + (inHead % 2) * half + Math.floor(inHead / 2);
  });
}

describe('rotary rows', () => {
  it('inverts the order that the converter writes', () => {
    const order = convertedOrder(3, 8);
    const canonical = order.map((_, row) => order[storedRow({ headSize: 8, rotarySize: 8 }, row)]);
    expect(canonical).toEqual(order.map((_, row) => row));
  });

  it('keeps the elements of a head that are not rotated in place', () => {
    const rows = Array.from({ length: 8 }, (_, row) => storedRow({ headSize: 8, rotarySize: 4 }, row));
    expect(rows).toEqual([0, 2, 1, 3, 4, 5, 6, 7]);
  });

  it('gives the same bytes whichever way the rows are asked for, reading at most one head at a time', () => {
    const layout = { headSize: 8, rotarySize: 8 };
    const rowBytes = 3;
    const order = convertedOrder(3, 8);
    const stored = Uint8Array.from(order.flatMap((canonical) => [canonical, canonical + 100, 7]));
    const read = (first: number, count: number): Uint8Array => {
      expect(count).toBeLessThanOrEqual(8);
      return stored.subarray(first * rowBytes, (first + count) * rowBytes);
    };
    const whole = readRotaryRows(layout, rowBytes, 0, 24, read);
    expect([...whole].filter((_, i) => i % rowBytes === 0)).toEqual(order.map((_, row) => row));
    for (let first = 0; first < 24; first++) {
      for (let count = 0; first + count <= 24; count++) {
        const part = readRotaryRows(layout, rowBytes, first, count, read);
        expect(part).toEqual(whole.subarray(first * rowBytes, (first + count) * rowBytes));
      }
    }
  });
});
