export * from './gguf/index.js';
export * from './tars/index.js';
export type { HyperParameters, RopeParameters, TensorInfo, TensorSource } from './tensor-source.js';
