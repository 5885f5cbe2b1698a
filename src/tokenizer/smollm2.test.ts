import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { smolLm2Path, smolLm2Title } from '../../test/fixtures/test-models.js';
import { openGguf } from '../formats/gguf/index.js';
import { createTokenizer } from './index.js';

const path = smolLm2Path() ?? '';

describe.skipIf(path === '')(smolLm2Title('tokenizer of SmolLM2-135M-Instruct'), () => {
  it("gives the reference library's ids and decodes them back", () => {
    // Written by test/fixtures/tokenizer/make_fixtures.py --smollm2.
    const fixture = new URL('../../test/fixtures/tokenizer/smollm2.json', import.meta.url);
    const { strings, cases } = JSON.parse(readFileSync(fixture, 'utf8')) as { strings: string[]; cases: number[][] };
    const source = openGguf(path);
    const tokenizer = createTokenizer(source.tokenizer);
    source.close();
    const actual = strings.map((text) => ({ text, ids: tokenizer.encode(text, { parseSpecial: true }) }));
    expect(actual).toEqual(strings.map((text, i) => ({ text, ids: cases[i] })));
    expect(tokenizer.decode(tokenizer.encode('Bonjour, l’été.'))).toBe('Bonjour, l’été.');
  });
});
