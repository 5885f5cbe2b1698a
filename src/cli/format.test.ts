import { describe, expect, it } from 'vitest';
import { formatBlock, formatTable, humanBytes, humanTime } from './format.js';

describe('humanBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 KB'],
    [1500, '1.5 KB'],
    [98_765_432, '98 MB'],
    [2_019_393_189, '2.0 GB'],
    [12_500_000_000, '12 GB'],
    [1_500_000_000_000, '1.5 TB'],
  ])('%d is %s', (numBytes, text) => {
    expect(humanBytes(numBytes)).toBe(text);
  });
});

describe('humanTime', () => {
  const now = Date.parse('2026-08-01T12:00:00Z');
  const minute = 60_000;
  const hour = 60 * minute;
  const day = 24 * hour;
  it.each([
    [400, 'Less than a second'],
    [1_200, '1 second'],
    [59_000, '59 seconds'],
    [minute, 'About a minute'],
    [3 * minute, '3 minutes'],
    [hour, 'About an hour'],
    [5 * hour, '5 hours'],
    [47 * hour, '47 hours'],
    [2 * day, '2 days'],
    [13 * day, '13 days'],
    [21 * day, '3 weeks'],
    [120 * day, '4 months'],
    [2 * 365 * day, '2 years'],
  ])('%d ms is %s', (age, text) => {
    expect(humanTime(new Date(now - age).toISOString(), now)).toBe(`${text} ago`);
    expect(humanTime(new Date(now + age).toISOString(), now)).toBe(`${text} from now`);
  });

  it('knows never and for ever, and reads local offsets', () => {
    expect(humanTime('0001-01-01T00:00:00Z', now)).toBe('Never');
    expect(humanTime('not a time', now)).toBe('Never');
    expect(humanTime('2318-11-11T00:00:00Z', now)).toBe('Forever');
    expect(humanTime('2026-08-01T04:57:00.123456789-07:00', now)).toBe('2 minutes ago');
  });
});

describe('tables', () => {
  it('pads columns and ends rows as Ollama does', () => {
    const rows = [
      ['a:latest', '12'],
      ['b', '345'],
    ];
    expect(formatTable(['NAME', 'ID'], rows)).toBe('NAME        ID  \na:latest    12     \nb           345    \n');
    expect(formatTable(['NAME', 'ID'], [])).toBe('NAME    ID \n');
  });

  it('indents a block and ends it with an empty line', () => {
    expect(
      formatBlock('Model', [
        ['architecture', 'llama'],
        ['parameters', '1B'],
      ]),
    ).toBe('  Model\n    architecture    llama    \n    parameters      1B       \n\n');
  });
});
