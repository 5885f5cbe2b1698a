import { Candidates } from './candidates.js';

export interface LogprobEntry {
  readonly id: number;
  readonly logprob: number;
}

export interface TokenLogprobs {
  readonly logprob: number;
  /** The most probable tokens, best first. */
  readonly top: readonly LogprobEntry[];
}

/** Stands for the logarithm of zero, which JSON cannot carry: the lowest 32-bit float, as llama.cpp reports it. */
const logZero = -3.4028234663852886e38;

/** Log-probability of token `id`, and of the `topN` best, for a row of raw scores [vocabulary]. One pass of exponentials. */
export function logprobsOf(logits: Float32Array, id: number, topN: number): TokenLogprobs {
  let best = -Infinity;
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i] as number;
    best = logit > best ? logit : best;
  }
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    const weight = Math.exp((logits[i] as number) - best);
    total += weight > 0 ? weight : 0;
  }
  const logTotal = best + Math.log(total);
  const logprobOf = (token: number): number => Math.max(logZero, (logits[token] ?? -Infinity) - logTotal);
  if (topN <= 0) {
    return { logprob: logprobOf(id), top: [] };
  }
  const candidates = new Candidates(Math.min(topN, logits.length), logits.length);
  candidates.takeTop(logits, topN);
  const ids = Array.from({ length: candidates.length }, (_, place) => candidates.idAt(place));
  return { logprob: logprobOf(id), top: ids.map((token) => ({ id: token, logprob: logprobOf(token) })) };
}
