import { describe, expect, it } from 'vitest';
import { StopMatcher } from './index.js';

/** Pushes pieces until a stop string is found. */
function run(stops: readonly string[], pieces: readonly string[]): { text: string; stop: string | undefined } {
  const matcher = new StopMatcher(stops);
  let text = '';
  for (const piece of pieces) {
    const result = matcher.push(piece);
    text += result.text;
    if (result.stop !== undefined) {
      return { text, stop: result.stop };
    }
  }
  return { text: text + matcher.flush(), stop: undefined };
}

describe('StopMatcher', () => {
  it('cuts the text before the stop string', () => {
    expect(run(['###'], ['Hello ###', ' more'])).toEqual({ text: 'Hello ', stop: '###' });
  });

  it('holds back what may become a stop string, and nothing else', () => {
    const matcher = new StopMatcher(['\n\nUser:']);
    expect(matcher.push('Yes\n')).toEqual({ text: 'Yes' });
    expect(matcher.push('\nUs')).toEqual({ text: '' });
    expect(matcher.push('age')).toEqual({ text: '\n\nUsage' });
    expect(matcher.push('\n')).toEqual({ text: '' });
    expect(matcher.flush()).toBe('\n');
  });

  it('finds a stop string that begins inside another beginning', () => {
    expect(run(['aab'], ['a', 'a', 'a', 'b', 'c'])).toEqual({ text: 'a', stop: 'aab' });
    expect(run(['abac'], ['aba', 'bac'])).toEqual({ text: 'ab', stop: 'abac' });
  });

  it('takes the stop string that is complete first, the longest of equals', () => {
    expect(run(['xyz', 'y'], ['wxyz'])).toEqual({ text: 'wx', stop: 'y' });
    expect(run(['b', 'ab'], ['xab'])).toEqual({ text: 'x', stop: 'ab' });
  });

  it('ends at once on an empty stop string', () => {
    expect(run(['', 'x'], ['Hello'])).toEqual({ text: '', stop: '' });
  });

  it('passes everything on without stop strings', () => {
    expect(run([], ['a', 'b'])).toEqual({ text: 'ab', stop: undefined });
  });

  it('gives the same result however the text is cut', () => {
    const alphabet = ['a', 'b', 'é'];
    const words = (length: number): string[] =>
      length === 0 ? [''] : words(length - 1).flatMap((word) => alphabet.map((letter) => word + letter));
    const text = words(6).join('').slice(0, 400);
    for (const stops of [['aba', 'bb'], ['éa', 'aéa', 'ba'], ['bbbb'], ['éééb', 'ééb', 'ab']]) {
      const whole = run(stops, [text.slice(7)]);
      for (const size of [1, 2, 3, 5, 17]) {
        const pieces = text.slice(7).match(new RegExp(`[^]{1,${size}}`, 'gu')) ?? [];
        expect(run(stops, pieces)).toEqual(whole);
      }
    }
  });
});
