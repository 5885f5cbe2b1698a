export { defaultSamplingOptions, type SamplingOptions } from './options.js';
