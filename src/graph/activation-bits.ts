import type { HyperParameters } from '../formats/index.js';

/** Up to this width a model gets activations of 16 bits: SmolLM2 (576) needs them, and small models can afford them. */
const widestSmallModel = 1024;

/**
 * Bits of the activations in products with quantised weights. Rounding them to 8 bits per block of 32 turns 3.7 % of
 * SmolLM2-135M's most likely tokens; with 16 bits it is 0.06 % (docs/benchmarks). The error averages out over wider rows,
 * and there 16 bits would halve the speed of prompts and large batches.
 */
export function activationBits({ hiddenSize }: HyperParameters): 8 | 16 {
  return hiddenSize <= widestSmallModel ? 16 : 8;
}
