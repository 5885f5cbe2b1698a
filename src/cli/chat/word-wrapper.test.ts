import { describe, expect, it } from 'vitest';
import { WordWrapper } from './word-wrapper.js';

/** A cursor-left or clear-to-end sequence, or one character. */
const terminalToken = new RegExp(`${String.fromCharCode(27)}\\[(\\d*)[DK]|[^]`, 'gu');

/** What a terminal shows: cursor-left and clear-to-end are applied. */
function render(output: string): string {
  const lines = [''];
  for (const [token, count] of output.matchAll(terminalToken)) {
    const last = lines.length - 1;
    const line = lines[last] ?? '';
    if (token === '\n') {
      lines.push('');
    } else if (token.endsWith('D') && token.startsWith('\x1b')) {
      lines[last] = line.slice(0, line.length - Number(count));
    } else if (!token.startsWith('\x1b')) {
      lines[last] = line + token;
    }
  }
  return lines.join('\n');
}

describe('WordWrapper', () => {
  const text = 'The quick brown fox jumps over the lazy dog and runs away from the bear.';

  it('breaks between words and keeps every word, however the text is cut', () => {
    for (const size of [1, 3, 7, 100]) {
      const wrapper = new WordWrapper(30);
      let output = '';
      for (let at = 0; at < text.length; at += size) {
        output += wrapper.push(text.slice(at, at + size));
      }
      const shown = render(output);
      expect(shown.replace(/\s+/g, ' ')).toBe(text);
      expect(Math.max(...shown.split('\n').map((line) => line.length))).toBeLessThanOrEqual(25);
    }
  });

  it('starts again after a newline of the text', () => {
    expect(render(new WordWrapper(30).push('short\nlines\nonly'))).toBe('short\nlines\nonly');
  });

  it('lets a word longer than a line through', () => {
    const word = 'x'.repeat(80);
    expect(render(new WordWrapper(30).push(word)).replaceAll('\n', '')).toBe(word);
  });

  it('leaves text alone without a terminal', () => {
    expect(new WordWrapper(0).push(text)).toBe(text);
  });
});
