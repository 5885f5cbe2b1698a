import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { blockTypes, kernelTypes, type KernelType } from '../../src/quant/index.js';
import {
  createMatrix,
  dot,
  interleaveGroups,
  quantisedActivations,
  randomFloats,
  worstError,
  type PackedMatrix,
} from './fixtures.js';
import { instructionSets, OperatorRunner, useInstructionSet, type Input, type OperatorSpec } from './operator-runner.js';

const types = Object.keys(kernelTypes) as KernelType[];
const tokenCounts = [1, 2, 3, 5, 16, 17, 33];
const mostTokens = 33;
/** Rounding of single-precision sums, as a share of the sum of magnitudes. */
const tolerance = 2e-6;
/** The second plane of an activation is rounded to 1 / (127 * 254) of the largest value of its block, half of it on average. */
const roundedTwice = 4e-5;

const f32 = { type: 'float32', rank: 2 } as const;
const bytes = { type: 'uint8', rank: 1 } as const;

/** Columns in whole blocks of the type. */
function wholeBlocks(type: KernelType, atLeast: number): number {
  const { blockElements } = blockTypes[kernelTypes[type].blockType];
  return Math.ceil(atLeast / blockElements) * blockElements;
}

function productSpec(opType: string, matrix: PackedMatrix, extra: Partial<OperatorSpec> = {}): OperatorSpec {
  const attributes = {
    N: { int: matrix.numRows },
    K: { int: matrix.numCols },
    type: { string: matrix.type },
    ...extra.attributes,
  };
  return { opType, attributes, inputs: extra.inputs ?? [f32, bytes] };
}

const floats = (data: Float32Array, ...shape: number[]): Input => ({ type: 'float32', shape, data });
const weights = (data: Uint8Array): Input => ({ type: 'uint8', shape: [data.length], data });

/** Products in double precision of what the kernels multiply: [tokens, numRows]. */
function product(
  matrix: PackedMatrix,
  activations: Float32Array,
  activationBits = 8,
): { expected: Float64Array; bounds: Float64Array } {
  const { numRows, numCols, values } = matrix;
  const isExact = kernelTypes[matrix.type].elementBytes > 0 || activationBits === 16;
  const seen = isExact ? activations : quantisedActivations(activations);
  const numTokens = activations.length / numCols;
  const expected = new Float64Array(numTokens * numRows);
  const bounds = new Float64Array(numTokens * numRows);
  for (let token = 0; token < numTokens; token++) {
    for (let row = 0; row < numRows; row++) {
      const a = seen.subarray(token * numCols, (token + 1) * numCols);
      const { sum, magnitude } = dot(a, values.subarray(row * numCols, (row + 1) * numCols));
      expected[token * numRows + row] = sum;
      bounds[token * numRows + row] = magnitude;
    }
  }
  return { expected, bounds };
}

afterEach(() => {
  useInstructionSet(null);
});

describe.each(types)('MatMul %s', (type) => {
  const runners: OperatorRunner[] = [];
  afterAll(() => runners.forEach((runner) => runner[Symbol.dispose]()));

  it.each([
    [16, 32],
    [40, 96],
    [100, 576],
    [33, 2048],
  ])('%i x %i or more: right on every instruction set, and the same for a token in any batch', async (numRows, atLeast) => {
    const numCols = wholeBlocks(type, atLeast);
    const matrix = createMatrix(type, numRows, numCols, numRows + numCols);
    const activations = randomFloats(mostTokens * numCols, 5);
    const { expected, bounds } = product(matrix, activations);
    const runner = await OperatorRunner.create(productSpec('MatMul', matrix));
    runners.push(runner);
    for (const name of instructionSets) {
      useInstructionSet(name);
      const run = (numTokens: number): Float32Array =>
        runner.run(
          [floats(activations.subarray(0, numTokens * numCols), numTokens, numCols), weights(matrix.packed)],
          [numTokens, numRows],
        );
      const whole = run(mostTokens);
      expect(worstError(whole, expected, bounds), name).toBeLessThan(tolerance);
      for (const numTokens of tokenCounts) {
        expect(run(numTokens), `${name}, ${numTokens} tokens`).toEqual(whole.subarray(0, numTokens * numRows));
      }
    }
  });

  it('with activations of 16 bits comes close to exact ones, the same for a token in any batch', async () => {
    const [numRows, numCols] = [40, wholeBlocks(type, 576)];
    const matrix = createMatrix(type, numRows, numCols, 31);
    const activations = randomFloats(mostTokens * numCols, 32);
    const { expected, bounds } = product(matrix, activations, 16);
    using runner = await OperatorRunner.create(productSpec('MatMul', matrix, { attributes: { activation_bits: { int: 16 } } }));
    for (const name of instructionSets) {
      useInstructionSet(name);
      const run = (numTokens: number): Float32Array =>
        runner.run(
          [floats(activations.subarray(0, numTokens * numCols), numTokens, numCols), weights(matrix.packed)],
          [numTokens, numRows],
        );
      const whole = run(mostTokens);
      expect(worstError(whole, expected, bounds), name).toBeLessThan(roundedTwice);
      for (const numTokens of tokenCounts) {
        expect(run(numTokens), `${name}, ${numTokens} tokens`).toEqual(whole.subarray(0, numTokens * numRows));
      }
    }
  });

  it('adds bias and residual', async () => {
    const [numRows, numCols, numTokens] = [40, wholeBlocks(type, 96), 5];
    const matrix = createMatrix(type, numRows, numCols, 1);
    const activations = randomFloats(numTokens * numCols, 2);
    const bias = randomFloats(numRows, 3);
    const residual = randomFloats(numTokens * numRows, 4);
    const inputs = [f32, bytes, { type: 'float32', rank: 1 } as const, f32];
    using runner = await OperatorRunner.create(productSpec('MatMul', matrix, { inputs }));
    using residualOnly = await OperatorRunner.create(productSpec('MatMul', matrix, { inputs: [f32, bytes, null, f32] }));
    const { expected, bounds } = product(matrix, activations);
    const withResidual = expected.map((sum, i) => sum + (residual[i] ?? 0));
    const withBoth = withResidual.map((sum, i) => sum + (bias[i % numRows] ?? 0));
    const wide = bounds.map((bound) => bound + 20);
    const [a, w] = [floats(activations, numTokens, numCols), weights(matrix.packed)];
    const r = floats(residual, numTokens, numRows);
    for (const name of instructionSets) {
      useInstructionSet(name);
      const both = runner.run([a, w, floats(bias, numRows), r], [numTokens, numRows]);
      expect(worstError(both, withBoth, wide), name).toBeLessThan(tolerance);
      expect(worstError(residualOnly.run([a, w, null, r], [numTokens, numRows]), withResidual, wide), name).toBeLessThan(
        tolerance,
      );
    }
  });

  it.each(['silu', 'gelu_tanh'])('GatedMatMul %s', async (activation) => {
    const [numRows, numCols, numTokens] = [56, wholeBlocks(type, 96), 17];
    const gate = createMatrix(type, numRows, numCols, 11);
    const up = createMatrix(type, numRows, numCols, 12);
    const activations = randomFloats(numTokens * numCols, 13);
    const gates = product(gate, activations);
    const ups = product(up, activations);
    const act = (x: number): number =>
      activation === 'silu'
        ? x / (1 + Math.exp(-x))
        : 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    const expected = gates.expected.map((x, i) => act(x) * (ups.expected[i] ?? 0));
    const bounds = gates.bounds.map((bound, i) => (bound + 1) * ((ups.bounds[i] ?? 0) + 1));
    const spec = productSpec('GatedMatMul', gate, { attributes: { activation: { string: activation } } });
    using runner = await OperatorRunner.create(spec);
    const packed = weights(interleaveGroups(gate, up));
    for (const name of instructionSets) {
      useInstructionSet(name);
      const whole = runner.run([floats(activations, numTokens, numCols), packed], [numTokens, numRows]);
      expect(worstError(whole, expected, bounds), name).toBeLessThan(tolerance);
      const last = floats(activations.subarray((numTokens - 1) * numCols), 1, numCols);
      expect(runner.run([last, packed], [1, numRows])).toEqual(whole.subarray((numTokens - 1) * numRows));
    }
  });

  it('Gather gives the dequantised rows bit for bit', async () => {
    const numCols = wholeBlocks(type, 96);
    const matrix = createMatrix(type, 37, numCols, 21);
    const ids = BigInt64Array.from([36n, 0n, 15n, 16n, 16n]);
    using runner = await OperatorRunner.create(productSpec('Gather', matrix, { inputs: [{ type: 'int64', rank: 1 }, bytes] }));
    const rows = runner.run([{ type: 'int64', shape: [5], data: ids }, weights(matrix.packed)], [5, numCols]);
    const expected = [...ids].map((id) =>
      Buffer.from(matrix.values.slice(Number(id) * numCols, (Number(id) + 1) * numCols).buffer),
    );
    expect(Buffer.from(rows.buffer).equals(Buffer.concat(expected))).toBe(true);
  });
});

describe('quantised products', () => {
  it('are bit-equal on all vector instruction sets', async () => {
    const vectorSets = instructionSets.filter((name) => name !== 'plain');
    for (const type of types.filter((name) => kernelTypes[name].elementBytes === 0)) {
      const numCols = wholeBlocks(type, 1056);
      const matrix = createMatrix(type, 64, numCols, 31);
      using runner = await OperatorRunner.create(productSpec('MatMul', matrix));
      const activations = floats(randomFloats(7 * numCols, 32), 7, numCols);
      const results = vectorSets.map((name) => {
        useInstructionSet(name);
        return runner.run([activations, weights(matrix.packed)], [7, 64]);
      });
      results.forEach((result) => expect(result).toEqual(results[0]));
    }
  });

  it('pass NaN on and survive infinities', async () => {
    const matrix = createMatrix('q4_0', 16, 64, 41);
    using runner = await OperatorRunner.create(productSpec('MatMul', matrix));
    const activations = randomFloats(3 * 64, 42);
    activations[5] = NaN;
    activations[64 + 5] = Infinity;
    for (const name of instructionSets) {
      useInstructionSet(name);
      const result = runner.run([floats(activations, 3, 64), weights(matrix.packed)], [3, 16]);
      expect(result.subarray(0, 16).every(Number.isNaN), name).toBe(true);
      expect(result.subarray(16, 32).some(Number.isFinite), name).toBe(false);
      expect(result.subarray(32).every(Number.isFinite), name).toBe(true);
    }
  });

  it('agree with one thread and with none of the tokens', async () => {
    const matrix = createMatrix('q8_0', 300, 256, 51);
    const activations = randomFloats(200 * 256, 52);
    using many = await OperatorRunner.create(productSpec('MatMul', matrix), 2);
    using one = await OperatorRunner.create(productSpec('MatMul', matrix), 1);
    const inputs = [floats(activations, 200, 256), weights(matrix.packed)];
    expect(many.run(inputs, [200, 300])).toEqual(one.run(inputs, [200, 300]));
    expect(many.run([floats(new Float32Array(0), 0, 256), weights(matrix.packed)], [0, 300])).toHaveLength(0);
  });
});

describe('hostile inputs', () => {
  const matrix = createMatrix('q4_0', 16, 64, 61);

  it.each([
    ['a truncated matrix', [1, 64], matrix.packed.length - 1, 'dimension 0 of weights'],
    ['activations of another width', [1, 96], matrix.packed.length, 'dimension 1 of activations'],
  ])('MatMul refuses %s', async (_, shape, length, message) => {
    using runner = await OperatorRunner.create(productSpec('MatMul', matrix));
    const activations = floats(new Float32Array((shape[0] ?? 0) * (shape[1] ?? 0)), ...shape);
    expect(() => runner.run([activations, weights(matrix.packed.subarray(0, length))], [1, 16])).toThrow(message);
  });

  it('MatMul refuses bias and residual of other sizes', async () => {
    const inputs = [f32, bytes, { type: 'float32', rank: 1 } as const, f32];
    using runner = await OperatorRunner.create(productSpec('MatMul', matrix, { inputs }));
    const run = (bias: number, residual: number): Float32Array =>
      runner.run(
        [
          floats(new Float32Array(64), 1, 64),
          weights(matrix.packed),
          floats(new Float32Array(bias), bias),
          floats(new Float32Array(residual * 16), residual, 16),
        ],
        [1, 16],
      );
    expect(() => run(15, 1)).toThrow('dimension 0 of bias is 15 instead of 16');
    expect(() => run(16, 2)).toThrow('dimension 0 of residual is 2 instead of 1');
  });

  it.each([
    [{ K: { int: 33 } }, 'K = 33 is not a multiple of 32'],
    [{ K: { int: 288 }, type: { string: 'q6_k' } }, 'K = 288 is not a multiple of 256'],
    [{ K: { int: 0 } }, 'attribute K is 0'],
    [{ N: { int: 1e12 } }, 'attribute N is 1000000000000'],
    [{ type: { string: 'q9_9' } }, 'unknown type "q9_9"'],
    [{ type: { string: 'a name that is far too long' } }, 'missing or too long'],
  ])('session creation refuses %o', async (attributes, message) => {
    await expect(OperatorRunner.create(productSpec('MatMul', matrix, { attributes }))).rejects.toThrow(message);
  });

  it('session creation refuses a missing or unknown activation', async () => {
    await expect(OperatorRunner.create(productSpec('GatedMatMul', matrix))).rejects.toThrow('activation');
    const attributes = { activation: { string: 'swish' } };
    await expect(OperatorRunner.create(productSpec('GatedMatMul', matrix, { attributes }))).rejects.toThrow('unknown activation');
  });

  it.each([-1n, 16n, 2n ** 62n])('Gather refuses id %d', async (id) => {
    using runner = await OperatorRunner.create(productSpec('Gather', matrix, { inputs: [{ type: 'int64', rank: 1 }, bytes] }));
    const ids: Input = { type: 'int64', shape: [2], data: BigInt64Array.from([0n, id]) };
    expect(() => runner.run([ids, weights(matrix.packed)], [2, 64])).toThrow(`id ${id} of token 1 is not in a table of 16 rows`);
  });
});
