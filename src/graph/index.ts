export { buildDecoder, type DecoderOptions } from './decoder.js';
export { planPackage, type Recipe } from './recipe.js';
export { supportedArchitectures } from './architectures/index.js';
export { serializeModel, type OnnxModel } from './onnx/index.js';
