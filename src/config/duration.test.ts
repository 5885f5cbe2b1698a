import { describe, expect, it } from 'vitest';
import { formatGoDuration, parseGoDuration } from './duration.js';

describe('parseGoDuration', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['300ms', 300],
    ['1.5s', 1500],
    ['.5s', 500],
    ['1.s', 1000],
    ['-1m', -60_000],
    ['+2us', 0.002],
    ['2µs', 0.002],
    ['1ns', 0.000001],
    ['2562047h', 9223369200000],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(parseGoDuration(text)).toBeCloseTo(milliseconds, 9);
  });

  it.each([
    ['5', 'time: missing unit in duration "5"'],
    ['1h5', 'time: missing unit in duration "1h5"'],
    ['abc', 'time: invalid duration "abc"'],
    ['', 'time: invalid duration ""'],
    ['-', 'time: invalid duration "-"'],
    ['.s', 'time: invalid duration ".s"'],
    ['5d', 'time: unknown unit "d" in duration "5d"'],
    ['1 h', 'time: unknown unit " h" in duration "1 h"'],
    ['5toString', 'time: unknown unit "toString" in duration "5toString"'],
    ['10000000h', 'time: invalid duration "10000000h"'],
  ])('refuses %j', (text, message) => {
    expect(() => parseGoDuration(text)).toThrow(message);
  });

  it('refuses a very long text in linear time', () => {
    expect(() => parseGoDuration('1'.repeat(100_000))).toThrow('missing unit');
  });
});

describe('formatGoDuration', () => {
  it.each([
    [0, '0s'],
    [5_400_000, '1h30m0s'],
    [60_000, '1m0s'],
    [3_600_000, '1h0m0s'],
    [4002.5, '4.0025s'],
    [1.5, '1.5ms'],
    [0.0021, '2.1µs'],
    [0.000007, '7ns'],
    [-300, '-300ms'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(formatGoDuration(milliseconds)).toBe(text);
  });

  it('is read back as the same duration', () => {
    for (const milliseconds of [1, 999.999999, 61_001.25, 86_400_000, 0.75]) {
      expect(parseGoDuration(formatGoDuration(milliseconds))).toBeCloseTo(milliseconds, 6);
    }
  });
});
