import { cacheRow, type CacheType } from '../quant/index.js';
import type { Environment, NativeMemory, Tensor } from '../runtime/index.js';

export interface KvCacheShape {
  readonly numLayers: number;
  readonly numBlocks: number;
  readonly blockSize: number;
  readonly numKvHeads: number;
  readonly headSize: number;
  readonly type: CacheType;
}

/** Bytes of keys and values of one token over all layers. */
export function kvBytesPerToken(shape: Omit<KvCacheShape, 'numBlocks' | 'blockSize'>): number {
  return shape.numLayers * 2 * shape.numKvHeads * cacheRow(shape.type, shape.headSize).bytes;
}

/** Keys and values of all layers: per layer two tensors [blocks, block size, kv heads, row] that runs update in place. */
export class KvCache implements Disposable {
  readonly tensors: readonly { readonly name: string; readonly tensor: Tensor }[];
  readonly byteLength: number;
  readonly #memory: NativeMemory;

  constructor(environment: Environment, shape: KvCacheShape) {
    const row = cacheRow(shape.type, shape.headSize);
    const dimensions = [shape.numBlocks, shape.blockSize, shape.numKvHeads, row.length];
    const tensorBytes = shape.numBlocks * shape.blockSize * shape.numKvHeads * row.bytes;
    this.byteLength = tensorBytes * shape.numLayers * 2;
    // One allocation; the operating system gives pages only as blocks are first written.
    this.#memory = environment.allocate(this.byteLength);
    this.tensors = Array.from({ length: shape.numLayers * 2 }, (_, index) => ({
      name: `${index % 2 === 0 ? 'key' : 'value'}_cache.${Math.floor(index / 2)}`,
      tensor: environment.tensor(row.element, dimensions, this.#memory.address + BigInt(index * tensorBytes)),
    }));
  }

  [Symbol.dispose](): void {
    for (const { tensor } of this.tensors) {
      tensor[Symbol.dispose]();
    }
    this.#memory[Symbol.dispose]();
  }
}
