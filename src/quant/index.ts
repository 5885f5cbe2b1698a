export { blockTypeOfGgmlId, blockTypes, rawRowBytes, type BlockType, type BlockTypeInfo } from './block-type.js';
export { cacheRow, usableCacheType, type CacheRow, type CacheType } from './cache-row.js';
export { dequantiseRows } from './dequantise.js';
export { bfloatsToFloats, halfToFloat, halvesToFloats } from './float16.js';
export {
  rowsPerGroup,
  kernelLayoutVersion,
  kernelTypeOf,
  kernelTypes,
  packedByteLength,
  packedGroupBytes,
  type KernelType,
  type KernelTypeInfo,
} from './kernel-layout.js';
export { packRowGroup, unpackRows } from './pack.js';
