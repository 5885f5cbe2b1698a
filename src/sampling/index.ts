export { type LogprobEntry, logprobsOf, type TokenLogprobs } from './logprobs.js';
export { defaultSamplingOptions, type SamplingOptions } from './options.js';
export { RandomGenerator } from './random.js';
export { Sampler } from './sampler.js';
export { StopMatcher, type StopResult } from './stop-matcher.js';
