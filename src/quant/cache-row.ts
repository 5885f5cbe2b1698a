/** How the KV cache keeps the values of one head at one position: a row. The kernels' side is in native/include/tars/kernels.h. */

export type CacheType = 'float32' | 'float16' | 'q8_0' | 'q4_0';

/** Values that share a scale in a quantised row. */
const blockValues = 32;

export interface CacheRow {
  /** Element type of the cache's tensors. */
  readonly element: 'float32' | 'float16' | 'uint8';
  /** Last dimension of the cache's tensors: values, or bytes of a quantised row. */
  readonly length: number;
  readonly bytes: number;
}

/** Rows of heads of `headSize` values: codes of 8 or 4 bits and a half scale for each 32 of them (q8_0 8.5 bits a value, q4_0 4.5). */
export function cacheRow(type: CacheType, headSize: number): CacheRow {
  const scaleBytes = (headSize / blockValues) * 2;
  switch (type) {
    case 'float32':
      return { element: type, length: headSize, bytes: headSize * 4 };
    case 'float16':
      return { element: type, length: headSize, bytes: headSize * 2 };
    case 'q8_0':
      return { element: 'uint8', length: headSize + scaleBytes, bytes: headSize + scaleBytes };
    case 'q4_0':
      return { element: 'uint8', length: headSize / 2 + scaleBytes, bytes: headSize / 2 + scaleBytes };
    default:
      return type satisfies never;
  }
}

/** The type that a cache can have for heads of this size: float16 where quantised rows would not be whole blocks. */
export function usableCacheType(type: CacheType, headSize: number): CacheType {
  return (type === 'q8_0' || type === 'q4_0') && headSize % blockValues !== 0 ? 'float16' : type;
}
