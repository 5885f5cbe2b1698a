import { describe, expect, it } from 'vitest';
import { humanNumber } from './human-number.js';
import { addParameter, formatParameters, parseParameter } from './parameters.js';

describe('parseParameter', () => {
  it.each([
    ['num_ctx', '4096', 4096],
    ['seed', '-1', -1],
    ['temperature', '0.7', 0.7],
    ['top_p', '1e-1', 0.1],
    ['use_mmap', 'false', false],
  ])('%s %s', (name, text, value) => {
    expect(parseParameter(name, [text])).toBe(value);
  });

  it.each([
    ['num_ctx', 'many', 'invalid int value [many]'],
    ['num_ctx', '1.5', 'invalid int value [1.5]'],
    ['temperature', 'hot', 'invalid float value [hot]'],
    ['use_mmap', 'maybe', 'invalid bool value [maybe]'],
    ['constructor', '1', "unknown parameter 'constructor'"],
    ['nope', '1', "unknown parameter 'nope'"],
  ])('refuses %s %s', (name, text, message) => {
    expect(() => parseParameter(name, [text])).toThrow(message);
  });

  it('collects stop strings and replaces numbers', () => {
    const parameters: Record<string, unknown> = {};
    for (const [name, text] of [
      ['stop', 'a'],
      ['stop', 'b'],
      ['seed', '1'],
      ['seed', '2'],
    ] as const) {
      addParameter(parameters, name, text);
    }
    expect(parameters).toEqual({ stop: ['a', 'b'], seed: 2 });
  });
});

describe('formatParameters', () => {
  it('prints one padded line per value, as Go would', () => {
    const text = formatParameters({ stop: ['<|a|>', 'x"y'], temperature: 0.7, num_ctx: 1048576, num_batch: 262144 });
    expect(text.split('\n')).toEqual([
      `stop${' '.repeat(27)}"<|a|>"`,
      `stop${' '.repeat(27)}"x\\"y"`,
      `temperature${' '.repeat(20)}0.7`,
      `num_ctx${' '.repeat(24)}1.048576e+06`,
      `num_batch${' '.repeat(22)}262144`,
    ]);
  });
});

describe('humanNumber', () => {
  it.each([
    [999, '999'],
    [1000, '1K'],
    [1_500, '2K'],
    [134_515_008, '134.52M'],
    [361_821_120, '361.82M'],
    [1_000_000, '1M'],
    [1_235_814_432, '1.2B'],
    [8_000_000_000, '8B'],
  ])('%d is %s', (count, text) => {
    expect(humanNumber(count)).toBe(text);
  });
});
