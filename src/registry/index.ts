export { describeGgufWeights } from './describe-gguf-weights.js';
export { digestOf, digestOfFile, isDigest } from './digest.js';
export { packagedModelsFolder } from './embedded-models.js';
export { FolderModelStore, type FolderModelStoreOptions } from './folder-model-store.js';
export { humanNumber } from './human-number.js';
export { type StoreLogger } from './manifest-folder.js';
export {
  decodeModelfile,
  formatCommand,
  formatModelfile,
  parseModelfile,
  type ModelfileCommand,
  type TextKeyword,
} from './modelfile.js';
export { modelfileOfModel } from './modelfile-of-model.js';
export {
  canonicalModelName,
  defaultHost,
  defaultNamespace,
  defaultTag,
  displayModelName,
  isSameModelName,
  parseModelName,
  resolveModelName,
} from './name.js';
export { addParameter, deprecatedParameters, formatParameters, parameterTypes, parseParameter } from './parameters.js';
export type { CreateRequest, ModelConfig, ModelName, ModelStore, ProgressStatus, StoredMessage, StoredModel } from './types.js';
export { type DescribeWeights, type WeightsFacts } from './weights.js';
