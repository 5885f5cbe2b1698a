import { describe, expect, it } from 'vitest';
import { BlockPool, prefixKey } from './block-pool.js';

describe('BlockPool', () => {
  it('hands out every block once and refuses more than are free', () => {
    const pool = new BlockPool(4);
    const blocks = pool.allocate(3) ?? [];
    expect(new Set(blocks).size).toBe(3);
    expect(pool.allocate(2)).toBeUndefined();
    expect(pool.numFree).toBe(1);
    pool.release(blocks);
    expect(pool.numFree).toBe(4);
  });

  it('finds a released prefix again until its block is handed out', () => {
    const pool = new BlockPool(2);
    const [block = -1] = pool.allocate(1) ?? [];
    const key = prefixKey('', [1, 2, 3]);
    pool.publish(block, key);
    pool.release([block]);
    expect(pool.reuse(key)).toBe(block);
    pool.release([block]);
    expect(pool.allocate(2)).toHaveLength(2);
    expect(pool.reuse(key)).toBeUndefined();
  });

  it('keeps a shared block until its last user releases it', () => {
    const pool = new BlockPool(1);
    const [block = -1] = pool.allocate(1) ?? [];
    pool.publish(block, 'key');
    expect(pool.reuse('key')).toBe(block);
    pool.release([block]);
    expect(pool.allocate(1)).toBeUndefined();
    pool.release([block]);
    expect(pool.allocate(1)).toEqual([block]);
  });

  it('evicts the end of a prefix before its start', () => {
    const pool = new BlockPool(3);
    const blocks = pool.allocate(3) ?? [];
    blocks.forEach((block, index) => pool.publish(block, `key${index}`));
    pool.release(blocks);
    pool.allocate(1);
    expect(pool.reuse('key2')).toBeUndefined();
    expect(pool.reuse('key0')).toBe(blocks[0]);
  });

  it('refuses a release too many', () => {
    const pool = new BlockPool(1);
    const blocks = pool.allocate(1) ?? [];
    pool.release(blocks);
    expect(() => pool.release(blocks)).toThrow(RangeError);
  });
});

describe('prefixKey', () => {
  it('depends on the whole prefix and on token boundaries', () => {
    const first = prefixKey('', [1, 2]);
    expect(prefixKey(first, [3, 4])).not.toBe(prefixKey('', [3, 4]));
    expect(prefixKey('', [1, 256])).not.toBe(prefixKey('', [257, 0]));
  });
});
