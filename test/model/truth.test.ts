// Numerical truth: logits of the served graph against Hugging Face transformers' in float32 (test/fixtures/truth).
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GraphHarness, blockSize, largestDifference, type StepPart } from './graph-harness.js';

interface TruthIndex {
  readonly vocabulary_size: number;
  readonly sequences: readonly (readonly number[])[];
  readonly cases: readonly {
    readonly name: string;
    readonly tensor_type: string;
    readonly checks: string;
    readonly gguf: string;
    readonly logits: string;
    readonly logits_std: number;
    readonly head_dim: number;
  }[];
}

const folder = path.resolve(import.meta.dirname, '..', 'fixtures', 'truth');
const index = JSON.parse(readFileSync(path.join(folder, 'index.json'), 'utf8')) as TruthIndex;

/** Float32 sums in another order: what the issue allows between two correct implementations. */
const f32Bound = 1e-3;
/** Activations are rounded to 8 bits per block of 32: about 0.4 % of a block's largest value at each product. */
const int8Bound = 0.15;

function expectedLogits(file: string): Float32Array[][] {
  const bytes = readFileSync(path.join(folder, file));
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  let row = 0;
  return index.sequences.map((sequence) =>
    sequence.map(() => values.subarray(row * index.vocabulary_size, ++row * index.vocabulary_size)),
  );
}

/** Cache blocks of sequence `number`, out of order so that a graph that ignores the block table fails. */
function blocksOf(number: number): number[] {
  return [3, 1, 2, 0].map((block) => number * 4 + block);
}

function split(tokens: readonly number[], sizes: readonly number[], blocks: readonly number[]): StepPart[] {
  const parts: StepPart[] = [];
  let past = 0;
  for (let turn = 0; past < tokens.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    parts.push({ tokens: tokens.slice(past, past + size), past, blocks });
    past += size;
  }
  return parts;
}

for (const truth of index.cases) {
  describe(`${truth.name}: ${truth.checks}`, () => {
    const expected = expectedLogits(truth.logits);
    let harness: GraphHarness;
    beforeAll(async () => {
      harness = await GraphHarness.open(path.join(folder, truth.gguf), 'f32');
    });
    afterAll(() => harness[Symbol.asyncDispose]());

    const check = (sizes: readonly number[]): void => {
      index.sequences.forEach((sequence, number) => {
        const logits = split(sequence, sizes, blocksOf(number)).flatMap((part) => harness.step([part]));
        expect(largestDifference(logits, expected[number] ?? [])).toBeLessThan(f32Bound);
      });
    };

    it('equals transformers on a whole prefill', () => check([1000]));
    it('equals transformers one token at a time', () => check([1]));
    it('equals transformers in chunks', () => check([3, 7, blockSize, 1]));

    it('equals transformers in ragged batches with other sequences', () => {
      const schedules = [[2], [5, 1, 1, 8], [16, 3, 1]];
      const queues = index.sequences.map((sequence, number) => split(sequence, schedules[number] ?? [1], blocksOf(number)));
      const actual: Float32Array[][] = index.sequences.map(() => []);
      for (let turn = 0; queues.some((queue) => queue.length > 0); turn++) {
        const numbers = [...queues.keys()].filter((number) => (queues[number]?.length ?? 0) > 0 && (turn + number) % 3 !== 0);
        const parts = numbers.flatMap((number) => queues[number]?.splice(0, 1) ?? []);
        const rows = parts.length > 0 ? harness.step(parts) : [];
        parts.forEach((part, place) => actual[numbers[place] ?? 0]?.push(...rows.splice(0, part.tokens.length)));
      }
      actual.forEach((rows, number) => expect(largestDifference(rows, expected[number] ?? [])).toBeLessThan(f32Bound));
    });
  });

  if (truth.head_dim % 32 === 0) {
    it.each([
      ['q8_0', 0.1],
      ['q4_0', 1],
    ] as const)('stays near transformers with a %s cache', async (cacheType, bound) => {
      await using harness = await GraphHarness.open(path.join(folder, truth.gguf), 'f32', cacheType);
      const logits = harness.step(index.sequences.map((tokens, number) => ({ tokens, past: 0, blocks: blocksOf(number) })));
      const difference = largestDifference(logits, expectedLogits(truth.logits).flat());
      expect(difference).toBeGreaterThan(0);
      expect(difference).toBeLessThan(bound * truth.logits_std);
    });
  }

  if (truth.tensor_type !== 'F32') {
    describe(`${truth.name} with its own codes`, () => {
      it.each(['float32', 'float16'] as const)('stays near the dequantised weights with a %s cache', async (cacheType) => {
        await using harness = await GraphHarness.open(path.join(folder, truth.gguf), 'exact', cacheType);
        const logits = harness.step(index.sequences.map((tokens, number) => ({ tokens, past: 0, blocks: blocksOf(number) })));
        const bound = truth.tensor_type === 'F16' ? 5e-3 : int8Bound;
        expect(largestDifference(logits, expectedLogits(truth.logits).flat())).toBeLessThan(bound * truth.logits_std);
      });

      it('gives a token the same bits alone, in a batch and in chunks', async () => {
        await using harness = await GraphHarness.open(path.join(folder, truth.gguf), 'exact');
        const whole = harness.step(index.sequences.map((tokens, number) => ({ tokens, past: 0, blocks: blocksOf(number) })));
        const alone = index.sequences.flatMap((tokens, number) =>
          split(tokens, [1, 5, 2], blocksOf(number)).flatMap((part) => harness.step([part])),
        );
        expect(largestDifference(alone, whole)).toBe(0);
      });
    });
  }
}
