import { describe, expect, it } from 'vitest';
import { divideTokens } from './token-budget.js';

const budget = { numTokens: 16, numPrefillTokensWhileDecoding: 6 };

describe('divideTokens', () => {
  it('gives a lone prompt the whole budget, in chunks', () => {
    expect(divideTokens([40], budget)).toEqual([16]);
    expect(divideTokens([8, 20], budget)).toEqual([8, 8]);
  });

  it('decodes every sequence first and limits prompts beside them', () => {
    expect(divideTokens([1, 40, 1, 40], budget)).toEqual([1, 6, 1, 0]);
  });

  it('never exceeds the budget and gives nothing to nobody', () => {
    expect(divideTokens([], budget)).toEqual([]);
    const shares = divideTokens([1, 1, 1, 100, 100], { numTokens: 5, numPrefillTokensWhileDecoding: 6 });
    expect(shares).toEqual([1, 1, 1, 2, 0]);
  });
});
