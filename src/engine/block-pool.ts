// Blocks of the KV cache: which are free, which are shared, and which still hold a prefix that a new prompt may reuse.
import { createHash } from 'node:crypto';

/** Identifies the tokens from the start of a sequence to the end of one full block. */
export type PrefixKey = string;

/** Key of a full block whose predecessors have key `parent` (empty for the first block). */
export function prefixKey(parent: PrefixKey, tokens: readonly number[]): PrefixKey {
  // A collision would hand one request another's context, so this is a cryptographic hash (2 µs for a block).
  return createHash('sha256').update(parent).update(Int32Array.from(tokens)).digest('base64');
}

/**
 * Hands out block numbers 0 … numBlocks - 1 with reference counts. A freed block keeps its prefix until it is handed out
 * again, oldest first, so the free blocks are the prefix cache.
 */
export class BlockPool {
  readonly numBlocks: number;
  readonly #references: Uint32Array;
  readonly #keys: (PrefixKey | undefined)[];
  readonly #blockOfKey = new Map<PrefixKey, number>();
  /** Free blocks in the order in which they were freed. */
  readonly #free: Set<number>;

  constructor(numBlocks: number) {
    this.numBlocks = numBlocks;
    this.#references = new Uint32Array(numBlocks);
    this.#keys = new Array<PrefixKey | undefined>(numBlocks);
    this.#free = new Set(Array.from({ length: numBlocks }, (_, block) => block));
  }

  get numFree(): number {
    return this.#free.size;
  }

  /** `count` blocks, or undefined when fewer are free. */
  allocate(count: number): number[] | undefined {
    if (count > this.#free.size) {
      return undefined;
    }
    const blocks: number[] = [];
    for (const block of this.#free) {
      if (blocks.length === count) {
        break;
      }
      blocks.push(block);
    }
    for (const block of blocks) {
      this.#free.delete(block);
      this.#forget(block);
      this.#references[block] = 1;
    }
    return blocks;
  }

  /** Takes another reference to a block that holds this prefix, free or in use; undefined when none does. */
  reuse(key: PrefixKey): number | undefined {
    const block = this.#blockOfKey.get(key);
    if (block !== undefined) {
      this.#free.delete(block);
      this.#references[block] = (this.#references[block] ?? 0) + 1;
    }
    return block;
  }

  /** Records what a full block holds. The first block with a key keeps it; equal ones are simply not found by others. */
  publish(block: number, key: PrefixKey): void {
    if (!this.#blockOfKey.has(key)) {
      this.#forget(block);
      this.#keys[block] = key;
      this.#blockOfKey.set(key, block);
    }
  }

  /** Drops one reference to each block. The last blocks of a prefix become free first, so that its start is kept longest. */
  release(blocks: readonly number[]): void {
    for (const block of blocks.toReversed()) {
      const references = (this.#references[block] ?? 0) - 1;
      if (references < 0) {
        throw new RangeError(`block ${block} is released more often than it was taken`);
      }
      this.#references[block] = references;
      if (references === 0) {
        this.#free.add(block);
      }
    }
  }

  #forget(block: number): void {
    const key = this.#keys[block];
    if (key !== undefined) {
      this.#blockOfKey.delete(key);
      this.#keys[block] = undefined;
    }
  }
}
