import { afterEach, describe, expect, it } from 'vitest';
import {
  attentionSpec,
  createSequence,
  createSharedInputs,
  PagedRun,
  referenceAttention,
  roundToHalf,
  type AttentionCase,
} from './attention-model.js';
import { instructionSets, OperatorRunner, useInstructionSet, type Input } from './operator-runner.js';

const cases: Record<string, AttentionCase> = {
  'multi-head, f32 cache': { numHeads: 2, numKvHeads: 2, headSize: 16, cacheType: 'float32' },
  'grouped queries, f16 cache, rotary': { numHeads: 8, numKvHeads: 2, headSize: 64, rotarySize: 64 },
  'one key/value head for 40, packed': { numHeads: 40, numKvHeads: 1, headSize: 32, rotarySize: 32, isPacked: true },
  'partial rotary, interleaved': {
    numHeads: 4,
    numKvHeads: 2,
    headSize: 32,
    rotarySize: 16,
    isInterleaved: true,
    cacheType: 'float32',
  },
  'query and key norms': { numHeads: 4, numKvHeads: 2, headSize: 128, rotarySize: 128, hasNorms: true },
  'sliding window': { numHeads: 4, numKvHeads: 2, headSize: 32, rotarySize: 32, window: 20, cacheType: 'float32' },
  'window of one token': { numHeads: 2, numKvHeads: 1, headSize: 16, window: 1 },
  softcap: { numHeads: 4, numKvHeads: 4, headSize: 32, softcap: 5, cacheType: 'float32' },
  'sinks and a scale': { numHeads: 4, numKvHeads: 2, headSize: 48, hasSinks: true, scale: 0.2, cacheType: 'float32' },
  'head size that fills no vector': { numHeads: 3, numKvHeads: 1, headSize: 40, rotarySize: 24, blockSize: 5 },
  bidirectional: { numHeads: 4, numKvHeads: 2, headSize: 32, isCausal: false, cacheType: 'float32' },
};

/** Outputs are averages of values of magnitude up to 10. */
const tolerance = 5e-5;

function expectNear(actual: Float32Array, expected: Float64Array, label: string): void {
  let worst = 0;
  actual.forEach((value, i) => {
    const error = Math.abs(value - (expected[i] ?? NaN));
    worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
  });
  expect(worst, label).toBeLessThan(tolerance);
}

afterEach(() => {
  useInstructionSet(null);
});

describe('PagedAttention', () => {
  it.each(Object.entries(cases))('%s: right on every instruction set', async (_, test) => {
    const shared = createSharedInputs(test);
    const data = [createSequence(test, 45, 1), createSequence(test, 7, 5), createSequence(test, 33, 9)];
    const expected = data.map((sequence) => referenceAttention(test, shared, sequence));
    using runner = await OperatorRunner.create(attentionSpec(test));
    for (const name of instructionSets) {
      useInstructionSet(name);
      const run = new PagedRun(test, shared, runner, data);
      run.step(data.map(({ length }, sequence) => ({ sequence, count: length })));
      run.outputs.forEach((output, s) => expectNear(output, expected[s] ?? new Float64Array(0), `${name}, sequence ${s}`));
    }
  });

  it.each(Object.entries(cases).filter(([, test]) => test.isCausal !== false))(
    '%s: chunks, decode steps and mixed batches give the bits of one whole prompt',
    async (_, test) => {
      const shared = createSharedInputs(test);
      const data = [createSequence(test, 45, 1), createSequence(test, 7, 5), createSequence(test, 33, 9)];
      using runner = await OperatorRunner.create(attentionSpec(test));
      for (const name of instructionSets) {
        useInstructionSet(name);
        const mixed = new PagedRun(test, shared, runner, data);
        mixed.step([{ sequence: 0, count: 20 }]);
        mixed.step([
          { sequence: 1, count: 5 },
          { sequence: 0, count: 1 },
          { sequence: 2, count: 33 },
        ]);
        mixed.step([
          { sequence: 0, count: 23 },
          { sequence: 1, count: 1 },
        ]);
        mixed.step([
          { sequence: 0, count: 1 },
          { sequence: 2, count: 0 },
          { sequence: 1, count: 1 },
        ]);
        data.forEach((sequence, s) => {
          const alone = new PagedRun(test, shared, runner, [sequence]);
          alone.step([{ sequence: 0, count: sequence.length }]);
          expect(mixed.outputs[s], `${name}, sequence ${s}`).toEqual(alone.outputs[0]);
        });
      }
    },
  );

  it.each([undefined, 300])('spreads one long sequence with window %s over all cores without changing a bit', async (window) => {
    const test: AttentionCase = {
      // 7 key/value heads x 5 parts of the cache: more than two workers take on at once.
      ...{ numHeads: 14, numKvHeads: 7, headSize: 16, rotarySize: 16, cacheType: 'float32' },
      ...(window === undefined ? {} : { window }),
    };
    const shared = createSharedInputs(test);
    const sequence = createSequence(test, 1100, 1);
    const expected = referenceAttention(test, shared, sequence, 1090);
    using runner = await OperatorRunner.create(attentionSpec(test));
    using single = await OperatorRunner.create(attentionSpec(test), 1);
    const whole = new PagedRun(test, shared, runner, [sequence]);
    whole.step([{ sequence: 0, count: 1100 }]);
    expectNear(whole.outputs[0]?.subarray(1090 * 14 * 16) ?? new Float32Array(0), expected, 'whole');
    for (const session of [runner, single]) {
      const decoded = new PagedRun(test, shared, session, [sequence]);
      decoded.step([{ sequence: 0, count: 1097 }]);
      for (let i = 0; i < 3; i++) {
        decoded.step([{ sequence: 0, count: 1 }]);
      }
      expect(decoded.outputs[0]).toEqual(whole.outputs[0]);
    }
  });

  it('reads no block before the window', async () => {
    const test: AttentionCase = { numHeads: 2, numKvHeads: 1, headSize: 32, window: 20, rotarySize: 32 };
    const shared = createSharedInputs(test);
    const data = [createSequence(test, 120, 1)];
    using runner = await OperatorRunner.create(attentionSpec(test));
    const whole = new PagedRun(test, shared, runner, data);
    whole.step([{ sequence: 0, count: 120 }]);
    const forgetful = new PagedRun(test, shared, runner, data);
    forgetful.step([{ sequence: 0, count: 110 }]);
    forgetful.forgetBefore(0, 110 - 19);
    forgetful.step([{ sequence: 0, count: 10 }]);
    expect(forgetful.outputs[0]).toEqual(whole.outputs[0]);
  });

  it('rounds halves as the reference does', () => {
    expect([1, -2.5, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -24, 1.5 * 2 ** -24].map(roundToHalf)).toEqual([
      1,
      -2.5,
      1,
      1 + 2 ** -9,
      2 ** -24,
      2 ** -23,
    ]);
  });
});

describe('PagedAttention with hostile inputs', () => {
  const test: AttentionCase = { numHeads: 2, numKvHeads: 1, headSize: 16, rotarySize: 16, hasNorms: true, hasSinks: true };
  const shared = createSharedInputs(test);
  const data = [createSequence(test, 30, 1), createSequence(test, 10, 2)];
  const parts = [
    { sequence: 0, count: 30 },
    { sequence: 1, count: 10 },
  ];
  const ints = (values: number[], ...shape: number[]): Input => ({ type: 'int32', shape, data: Int32Array.from(values) });
  const floats = (...shape: number[]): Input => ({
    type: 'float32',
    shape,
    data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
  });
  const halves = (...shape: number[]): Input => ({
    type: 'float16',
    shape,
    data: new Uint16Array(shape.reduce((product, size) => product * size, 1)),
  });

  it.each<[string, number, Input, string]>([
    ['lengths that fall', 5, ints([0, 41, 40], 3), 'cumulative_sequence_length falls at sequence 1'],
    ['lengths beyond the tokens', 5, ints([0, 30, 41], 3), 'must go from 0 to 40 tokens'],
    ['lengths that start late', 5, ints([1, 30, 40], 3), 'must go from 0 to 40 tokens'],
    ['lengths of too few sequences', 5, ints([0, 40], 2), 'dimension 0 of cumulative_sequence_length is 2 instead of 3'],
    ['a negative past', 6, ints([0, -1], 2), 'past_seqlens of sequence 1 is negative'],
    ['a past beyond the block table', 6, ints([0, 1000], 2), 'sequence 1 has 1010 tokens, its block table holds 32'],
    ['the largest past', 6, ints([2147483647, 0], 2), 'sequence 0 has 2147483677 tokens'],
    ['a negative block', 7, ints([0, -1, 2, 3], 2, 2), 'block -1 of sequence 0 is not in a cache of 7 blocks'],
    ['a block outside the cache', 7, ints([0, 1, 7, 3], 2, 2), 'block 7 of sequence 1 is not in a cache of 7 blocks'],
    ['a block table of one sequence', 7, ints([0, 1], 1, 2), 'dimension 0 of block_table is 1 instead of 2'],
    ['a query of another width', 0, floats(40, 31), 'dimension 1 of query is 31 instead of 32'],
    ['keys of fewer tokens', 1, floats(39, 16), 'dimension 0 of key is 39 instead of 40'],
    ['a value cache of another shape', 4, halves(6, 16, 1, 16), 'dimension 0 of value_cache is 6 instead of 7'],
    ['a rotary table that is too short', 8, floats(29, 8), 'dimension 0 of sin_cache is 2048 instead of 29'],
    ['sinks of another number', 11, floats(3), 'dimension 0 of head_sink is 3 instead of 2'],
    ['a norm of another width', 12, floats(15), 'dimension 0 of q_norm_weight is 15 instead of 16'],
  ])('refuses %s', async (_, index, input, message) => {
    using runner = await OperatorRunner.create(attentionSpec(test));
    const inputs = new PagedRun(test, shared, runner, data).inputs(parts);
    expect(() => runner.run(inputs.with(index, input), [40, 32])).toThrow(message);
    expect(runner.run(inputs, [40, 32]).every(Number.isFinite)).toBe(true);
  });

  it('refuses positions beyond the rotary tables and tables wider than a head', async () => {
    using runner = await OperatorRunner.create(attentionSpec(test));
    const inputs = new PagedRun(test, shared, runner, data).inputs(parts);
    const tables = (...shape: number[]): (Input | null)[] => inputs.with(8, floats(...shape)).with(9, floats(...shape));
    expect(() => runner.run(tables(29, 8), [40, 32])).toThrow('sequence 0 has 30 tokens, cos_cache 29 positions');
    expect(() => runner.run(tables(64, 9), [40, 32])).toThrow('cos_cache rotates 18 values of heads of 16');
  });

  it.each([
    [{ kv_num_heads: { int: 3 } }, 'num_heads is not a multiple of kv_num_heads'],
    [{ num_heads: { int: 0 } }, 'attribute num_heads is 0'],
    [{ local_window_size: { int: 0 } }, 'local_window_size must be -1'],
    [{ local_window_size: { int: 4 }, is_causal: { int: 0 } }, 'local_window_size must be -1'],
    [{ softcap: { float: -1 } }, 'must not be negative'],
  ])('session creation refuses %o', async (attributes, message) => {
    await expect(OperatorRunner.create(attentionSpec(test, { attributes }))).rejects.toThrow(message);
  });

  it('refuses a slot mapping', async () => {
    const { inputs } = attentionSpec(test);
    using runner = await OperatorRunner.create(attentionSpec(test, { inputs: inputs.with(10, { type: 'int32', rank: 1 }) }));
    const given = new PagedRun(test, shared, runner, data).inputs(parts).with(10, ints(Array<number>(40).fill(0), 40));
    expect(() => runner.run(given, [40, 32])).toThrow('slot_mapping is not supported');
  });
});
