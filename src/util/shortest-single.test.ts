import { describe, expect, it } from 'vitest';
import { shortestSingle } from './shortest-single.js';

describe('shortestSingle', () => {
  it('gives the decimal that was rounded to single precision', () => {
    for (const value of [1e-5, 1e-6, 0.1, 500_000, 10_000.5, -3.25, 1.7320508]) {
      expect(shortestSingle(Math.fround(value))).toBe(value);
    }
  });

  it('keeps the single-precision value itself', () => {
    for (const value of [Math.PI, 16_777_217.25, 1 / 3, 1e-40, Infinity, 0]) {
      expect(Math.fround(shortestSingle(Math.fround(value)))).toBe(Math.fround(value));
    }
  });
});
