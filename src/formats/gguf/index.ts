export { describeGguf, ggufModelInfo, type GgufDescription, type ModelInfoValue } from './describe.js';
export { fileTypeName } from './file-types.js';
export { ggmlType, type GgmlType } from './ggml-types.js';
export { GgufFile } from './gguf-file.js';
export { GgufTensorSource, openGguf } from './gguf-tensor-source.js';
export { type GgufMetadata } from './metadata.js';
export { type GgufTensorInfo } from './tensor-infos.js';
export { type GgufValue, type GgufValueType } from './values.js';
