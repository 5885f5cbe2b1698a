import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TarsError } from '../errors/index.js';
import { createTokenizer, type TokenizerModel } from './index.js';

// Oracles of the reference libraries, written by test/fixtures/tokenizer/make_fixtures.py (versions are in the files).
function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../test/fixtures/tokenizer/${name}`, import.meta.url), 'utf8')) as T;
}

interface ByteLevelFixture {
  readonly strings: readonly string[];
  readonly numPlain: number;
  readonly model: TokenizerModel;
  readonly cases: Readonly<Record<string, readonly (readonly number[])[]>>;
}

interface SentencePieceCases {
  readonly model: TokenizerModel;
  readonly strings: readonly string[];
  readonly cases: readonly (readonly number[])[];
  readonly parsed: readonly (readonly number[])[];
}

interface SentencePieceFixture {
  readonly specialStrings: readonly string[];
  readonly withPrefix: SentencePieceCases;
  readonly withoutPrefix: SentencePieceCases;
}

const byteLevel = readFixture<ByteLevelFixture>('byte-level.json');
const sentencePiece = readFixture<SentencePieceFixture>('sentence-piece.json');

function expectSameIds(
  strings: readonly string[],
  actual: (text: string) => number[],
  expected: readonly (readonly number[])[],
): void {
  expect(expected.length).toBe(strings.length);
  strings.forEach((text, i) => expect({ text, ids: actual(text) }).toEqual({ text, ids: expected[i] }));
}

describe('byte-level vocabulary', () => {
  for (const [name, expected] of Object.entries(byteLevel.cases)) {
    it(`gives the reference library's ids with pre-tokenizer ${name}`, () => {
      const tokenizer = createTokenizer({ ...byteLevel.model, preTokenizer: name });
      expectSameIds(byteLevel.strings, (text) => tokenizer.encode(text, { parseSpecial: true }), expected);
    });
  }

  it('decodes what it encoded', () => {
    const tokenizer = createTokenizer({ ...byteLevel.model, preTokenizer: 'llama-bpe' });
    for (const text of byteLevel.strings) {
      expect(tokenizer.decode(tokenizer.encode(text, { parseSpecial: true }), { renderControl: true })).toBe(text);
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });

  it('names an unknown pre-tokenizer', () => {
    const create = (): unknown => createTokenizer({ ...byteLevel.model, preTokenizer: 'no-such' });
    expect(create).toThrow(new TarsError('TOKENIZER_UNSUPPORTED', { reason: 'pre-tokenizer "no-such" is not supported' }));
  });
});

describe('SentencePiece vocabulary', () => {
  const tokenizer = createTokenizer(sentencePiece.withPrefix.model);

  for (const [name, fixture] of Object.entries({
    'a space prefix': sentencePiece.withPrefix,
    'no prefix': sentencePiece.withoutPrefix,
  })) {
    it(`gives the reference library's ids with ${name}`, () => {
      const own = createTokenizer(fixture.model);
      expectSameIds(fixture.strings, (text) => own.encode(text), fixture.cases);
    });

    it(`encodes each stretch between special tokens by itself with ${name}`, () => {
      const own = createTokenizer(fixture.model);
      expectSameIds(sentencePiece.specialStrings, (text) => own.encode(text, { parseSpecial: true }), fixture.parsed);
    });
  }

  it('decodes what it encoded, the prefix dropped', () => {
    for (const text of sentencePiece.withPrefix.strings.filter((candidate) => !candidate.includes('▁'))) {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });

  it('keeps the space when the ids go on from a prompt', () => {
    expect(tokenizer.decode(tokenizer.encode('Hello'), { isContinuation: true })).toBe(' Hello');
  });
});

describe('any vocabulary', () => {
  const tokenizer = createTokenizer({ ...byteLevel.model, preTokenizer: 'smollm', bosId: 5, addBos: true });
  const start = tokenizer.encode('<|im_start|>', { parseSpecial: true })[0] ?? -1;

  it('reads control tokens in text only when asked, user-defined ones always', () => {
    const [open] = tokenizer.encode('<tool_call>');
    expect(tokenizer.tokenText(open ?? -1)).toBe('<tool_call>');
    expect(tokenizer.encode('<|im_start|>')).not.toContain(start);
    expect(tokenizer.decode(tokenizer.encode('<|im_start|>'))).toBe('<|im_start|>');
  });

  it('renders control tokens only when asked', () => {
    expect(tokenizer.isControl(start)).toBe(true);
    expect(tokenizer.decode([start])).toBe('');
    expect(tokenizer.decode([start], { renderControl: true })).toBe('<|im_start|>');
    expect(tokenizer.tokenBytes(start)).toHaveLength(0);
  });

  it('adds BOS once, and only if the model asks for it', () => {
    const own = { ...byteLevel.model, preTokenizer: 'smollm', bosId: start, addBos: true };
    const withBos = createTokenizer(own);
    expect(withBos.encode('a', { addBos: true })[0]).toBe(start);
    const twice = withBos.encode('<|im_start|>a', { addBos: true, parseSpecial: true });
    expect(twice.filter((id) => id === start)).toHaveLength(1);
    expect(createTokenizer({ ...own, addBos: false }).encode('a', { addBos: true })).not.toContain(start);
  });

  it('refuses ids outside the vocabulary', () => {
    for (const id of [-1, tokenizer.vocabSize, 1.5, NaN]) {
      expect(() => tokenizer.decode([id])).toThrow(TarsError);
    }
  });

  it('replaces lone surrogates', () => {
    expect(tokenizer.encode('a\ud800b\udc00')).toEqual(tokenizer.encode('a\ufffdb\ufffd'));
  });

  it('refuses an empty vocabulary', () => {
    expect(() => createTokenizer({ ...byteLevel.model, tokens: [] })).toThrow('empty');
  });

  it.each([
    ['one long word', 'a'.repeat(100_000)],
    ['spaces', ' '.repeat(100_000)],
    ['special-token beginnings', '<|im_star'.repeat(10_000)],
  ])('stays fast on 100 kB of %s', (_, text) => {
    for (const model of [{ ...byteLevel.model, preTokenizer: 'llama-bpe' }, sentencePiece.withPrefix.model]) {
      const startMs = performance.now();
      createTokenizer(model).encode(text, { parseSpecial: true });
      // A quadratic merge loop needs minutes here; the bound leaves room for a busy machine.
      expect(performance.now() - startMs).toBeLessThan(5000);
    }
  });
});
