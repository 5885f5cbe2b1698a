export {
  GrammarCompiler,
  jsonObjectGrammar,
  schemaGrammar,
  SchemaError,
  type ConstraintThinking,
  type GrammarVocabulary,
} from './grammar/index.js';
export { type LogprobEntry, logprobsOf, type TokenLogprobs } from './logprobs.js';
export { defaultSamplingOptions, type SamplingOptions } from './options.js';
export { RandomGenerator } from './random.js';
export { Sampler } from './sampler.js';
export type { TokenConstraint } from './token-constraint.js';
export { StopMatcher, type StopResult } from './stop-matcher.js';
