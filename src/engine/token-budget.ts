export interface TokenBudget {
  /** Most tokens in one step. */
  readonly numTokens: number;
  /** Most prompt tokens in a step that also decodes: a longer chunk would stall every running stream. */
  readonly numPrefillTokensWhileDecoding: number;
}

/**
 * Policy: how many tokens of each sequence go into the next step. Decoding sequences (one pending token) come first, then
 * prompts in order, in chunks, until the budget is used up.
 */
export function divideTokens(numPending: readonly number[], budget: TokenBudget): number[] {
  const shares: number[] = numPending.map((pending) => (pending === 1 ? 1 : 0));
  const numDecoding = shares.reduce((sum, share) => sum + share, 0);
  const prefillLimit = numDecoding > 0 ? budget.numPrefillTokensWhileDecoding : budget.numTokens;
  let left = Math.min(budget.numTokens - numDecoding, prefillLimit);
  numPending.forEach((pending, index) => {
    if (pending > 1 && left > 0) {
      const share = Math.min(pending, left);
      shares[index] = share;
      left -= share;
    }
  });
  return shares;
}
