export { Environment } from './environment.js';
export { OnnxRuntimeLibrary, findOnnxRuntime } from './library.js';
export { Session, IoBinding, RunOptions, type SessionOptions, type ValueInfo } from './session.js';
export { NativeMemory, Tensor } from './tensor.js';
export { elementTypes, type ElementType } from './element-type.js';
export { availableProviders, type ProviderName, type ProviderOptions } from './provider.js';
export { describeRuntime, findOperatorLibrary, operatorInstructionSet, type RuntimeFacts } from './operator-library.js';
