import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createTokenizer, IncrementalDetokenizer, type DecodeOptions, type TokenizerModel } from './index.js';

function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../test/fixtures/tokenizer/${name}`, import.meta.url), 'utf8')) as T;
}

const byteLevel = readFixture<{ model: TokenizerModel }>('byte-level.json');
const sentencePiece = readFixture<{ withPrefix: { model: TokenizerModel } }>('sentence-piece.json');
const tokenizers = {
  'byte-level': createTokenizer({ ...byteLevel.model, preTokenizer: 'gpt-2' }),
  SentencePiece: createTokenizer(sentencePiece.withPrefix.model),
};

/** Park-Miller generator: the same ids in every run. */
function randomIds(seed: number, length: number, vocabSize: number): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = (state * 48271) % 2147483647;
    return state % vocabSize;
  });
}

describe.each(Object.entries(tokenizers))('%s', (_, tokenizer) => {
  it.each<DecodeOptions>([{}, { renderControl: true }, { isContinuation: true }])('adds up to decode() with %j', (options) => {
    for (let seed = 1; seed <= 200; seed++) {
      const ids = randomIds(seed * 7919, seed % 40, tokenizer.vocabSize);
      const detokenizer = new IncrementalDetokenizer(tokenizer, options);
      const pieces = ids.map((id) => detokenizer.push(id));
      expect([...pieces, detokenizer.flush()].join('')).toBe(tokenizer.decode(ids, options));
    }
  });

  it('never emits half a character', () => {
    const text = 'naïve 👩‍👩‍👧‍👦 𠀀𠀁 हिन्दी';
    const detokenizer = new IncrementalDetokenizer(tokenizer);
    let whole = '';
    for (const id of tokenizer.encode(text)) {
      const piece = detokenizer.push(id);
      expect(piece).not.toContain('\ufffd');
      whole += piece;
      expect(text.startsWith(whole)).toBe(true);
      expect([...whole].join('')).toBe(whole);
    }
    expect(whole).toBe(text);
    expect(detokenizer.flush()).toBe('');
  });

  it('replaces a character that can no longer be completed', () => {
    const detokenizer = new IncrementalDetokenizer(tokenizer);
    const ids = tokenizer.encode('\u{e123}x').filter((id) => tokenizer.tokenBytes(id).length === 1);
    const [first = -1] = ids.filter((id) => tokenizer.tokenBytes(id)[0] === 0xee);
    const [letter = -1] = ids.filter((id) => tokenizer.tokenBytes(id)[0] === 0x78);
    expect(detokenizer.push(first)).toBe('');
    expect(detokenizer.push(letter)).toBe('\ufffdx');
    expect(detokenizer.push(first)).toBe('');
    expect(detokenizer.flush()).toBe('\ufffd');
  });
});
