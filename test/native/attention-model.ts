// Attention in double precision, straight from its definition, and a driver that runs the operator step by step.
import { createRandom, randomFloats } from './fixtures.js';
import type { OperatorRunner } from './operator-runner.js';
import { type Input, type OperatorSpec } from './operator-runner.js';

export interface AttentionCase {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headSize: number;
  readonly blockSize?: number;
  readonly cacheType?: 'float16' | 'float32';
  /** Rotated values per head; 0 turns rotary off. */
  readonly rotarySize?: number;
  readonly isInterleaved?: boolean;
  readonly window?: number;
  readonly softcap?: number;
  readonly scale?: number;
  readonly hasSinks?: boolean;
  readonly hasNorms?: boolean;
  readonly isCausal?: boolean;
  readonly isPacked?: boolean;
}

/** Raw projections of one sequence: [length, heads * headSize] each. */
export interface SequenceData {
  readonly length: number;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
}

const epsilon = 1e-5;
const maxPositions = 2048;

export function createSequence(test: AttentionCase, length: number, seed: number): SequenceData {
  return {
    length,
    query: randomFloats(length * test.numHeads * test.headSize, seed),
    key: randomFloats(length * test.numKvHeads * test.headSize, seed + 1),
    value: randomFloats(length * test.numKvHeads * test.headSize, seed + 2),
  };
}

function rotaryTable(test: AttentionCase, turn: (angle: number) => number): Float32Array {
  const half = (test.rotarySize ?? 0) / 2;
  return Float32Array.from({ length: maxPositions * half }, (_, i) => turn(Math.floor(i / half) * 10000 ** (-(i % half) / half)));
}

export interface SharedInputs {
  readonly cosines: Float32Array;
  readonly sines: Float32Array;
  readonly sinks: Float32Array;
  readonly queryNorm: Float32Array;
  readonly keyNorm: Float32Array;
}

export function createSharedInputs(test: AttentionCase): SharedInputs {
  return {
    cosines: rotaryTable(test, Math.cos),
    sines: rotaryTable(test, Math.sin),
    sinks: randomFloats(test.numHeads, 71),
    queryNorm: randomFloats(test.headSize, 72),
    keyNorm: randomFloats(test.headSize, 73),
  };
}

/** A half-precision value nearest to x, ties to even. */
export function roundToHalf(x: number): number {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), -14);
  const unit = 2 ** (exponent - 10);
  const scaled = x / unit;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const isUp = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  return (floor + (isUp ? 1 : 0)) * unit;
}

/** Norm and rotation of one head. */
function prepareHead(
  test: AttentionCase,
  shared: SharedInputs,
  raw: Float32Array,
  norm: Float32Array,
  position: number,
): number[] {
  let head = Array.from(raw);
  if (test.hasNorms === true) {
    const mean = head.reduce((sum, x) => sum + x * x, 0) / head.length;
    head = head.map((x, i) => (x / Math.sqrt(mean + epsilon)) * (norm[i] ?? 0));
  }
  const half = (test.rotarySize ?? 0) / 2;
  const rotated = head.slice();
  for (let i = 0; i < half; i++) {
    const [first, second] = test.isInterleaved === true ? [2 * i, 2 * i + 1] : [i, i + half];
    const cosine = shared.cosines[position * half + i] ?? 0;
    const sine = shared.sines[position * half + i] ?? 0;
    rotated[first] = (head[first] ?? 0) * cosine - (head[second] ?? 0) * sine;
    rotated[second] = (head[second] ?? 0) * cosine + (head[first] ?? 0) * sine;
  }
  return rotated;
}

/** Output of the tokens of a sequence from `firstToken` on: [length - firstToken, numHeads * headSize]. */
export function referenceAttention(test: AttentionCase, shared: SharedInputs, data: SequenceData, firstToken = 0): Float64Array {
  const { numHeads, numKvHeads, headSize } = test;
  const store = test.cacheType === 'float32' ? Math.fround : roundToHalf;
  const headOf = (values: Float32Array, token: number, head: number, heads: number): Float32Array =>
    values.subarray((token * heads + head) * headSize, (token * heads + head + 1) * headSize);
  const output = new Float64Array((data.length - firstToken) * numHeads * headSize);
  const scale = test.scale ?? 1 / Math.sqrt(headSize);
  for (let head = 0; head < numHeads; head++) {
    const kvHead = Math.floor(head / (numHeads / numKvHeads));
    const keys = Array.from({ length: data.length }, (_, t) =>
      prepareHead(test, shared, headOf(data.key, t, kvHead, numKvHeads), shared.keyNorm, t).map(store),
    );
    for (let token = firstToken; token < data.length; token++) {
      const query = prepareHead(test, shared, headOf(data.query, token, head, numHeads), shared.queryNorm, token);
      const first = test.window === undefined ? 0 : Math.max(0, token - test.window + 1);
      const end = test.isCausal === false ? data.length : token + 1;
      const scores = keys.slice(first, end).map((key) => {
        const score = scale * key.reduce((sum, x, i) => sum + x * (query[i] ?? 0), 0);
        return test.softcap === undefined ? score : test.softcap * Math.tanh(score / test.softcap);
      });
      const sink = test.hasSinks === true ? (shared.sinks[head] ?? 0) : -Infinity;
      const largest = Math.max(sink, ...scores);
      const weights = scores.map((score) => Math.exp(score - largest));
      const total = weights.reduce((sum, weight) => sum + weight, Math.exp(sink - largest));
      weights.forEach((weight, i) => {
        headOf(data.value, first + i, kvHead, numKvHeads).forEach((value, d) => {
          const place = ((token - firstToken) * numHeads + head) * headSize + d;
          output[place] = (output[place] ?? 0) + (weight / total) * store(value);
        });
      });
    }
  }
  return output;
}

export function attentionSpec(test: AttentionCase, overrides: Partial<OperatorSpec> = {}): OperatorSpec {
  const f32 = (rank: number) => ({ type: 'float32', rank }) as const;
  const i32 = (rank: number) => ({ type: 'int32', rank }) as const;
  const cache = { type: test.cacheType ?? 'float16', rank: 4 } as const;
  const separate = test.isPacked === true ? null : f32(2);
  const rotary = (test.rotarySize ?? 0) > 0 ? f32(2) : null;
  const norm = test.hasNorms === true ? f32(1) : null;
  return {
    opType: 'PagedAttention',
    inputs: [
      f32(2),
      separate,
      separate,
      cache,
      cache,
      i32(1),
      i32(1),
      i32(2),
      rotary,
      rotary,
      null,
      test.hasSinks === true ? f32(1) : null,
      norm,
      norm,
      null,
      null,
      i32(1),
    ],
    ...overrides,
    attributes: {
      num_heads: { int: test.numHeads },
      kv_num_heads: { int: test.numKvHeads },
      do_rotary: { int: rotary === null ? 0 : 1 },
      rotary_interleaved: { int: test.isInterleaved === true ? 1 : 0 },
      is_causal: { int: test.isCausal === false ? 0 : 1 },
      qk_norm_epsilon: { float: epsilon },
      ...(test.window === undefined ? {} : { local_window_size: { int: test.window } }),
      ...(test.softcap === undefined ? {} : { softcap: { float: test.softcap } }),
      ...(test.scale === undefined ? {} : { scale: { float: test.scale } }),
      ...overrides.attributes,
    },
  };
}

/** New tokens of one sequence in a step. */
export interface StepPart {
  readonly sequence: number;
  readonly count: number;
}

/** Sequences over one paged cache whose unused places hold NaN, so that a stale read shows. */
export class PagedRun {
  readonly outputs: Float32Array[];
  readonly past: number[];
  readonly #test: AttentionCase;
  readonly #shared: SharedInputs;
  readonly #runner: OperatorRunner;
  readonly #data: readonly SequenceData[];
  readonly #blockSize: number;
  readonly #blocksPerSequence: number;
  readonly #blockTable: number[][];
  readonly #caches: readonly (Float32Array | Uint16Array)[];

  constructor(test: AttentionCase, shared: SharedInputs, runner: OperatorRunner, data: readonly SequenceData[]) {
    this.#test = test;
    this.#shared = shared;
    this.#runner = runner;
    this.#data = data;
    this.#blockSize = test.blockSize ?? 16;
    this.#blocksPerSequence = Math.ceil(Math.max(...data.map(({ length }) => length)) / this.#blockSize);
    this.past = data.map(() => 0);
    this.outputs = data.map(({ length }) => new Float32Array(length * test.numHeads * test.headSize));
    const random = createRandom(99);
    const ids = Array.from({ length: this.#numBlocks }, (_, id) => ({ id, order: random() }));
    ids.sort((a, b) => a.order - b.order);
    this.#blockTable = data.map((_, s) =>
      ids.slice(s * this.#blocksPerSequence, (s + 1) * this.#blocksPerSequence).map(({ id }) => id),
    );
    const size = this.#numBlocks * this.#blockSize * test.numKvHeads * test.headSize;
    this.#caches = [0, 1].map(() =>
      test.cacheType === 'float32' ? new Float32Array(size).fill(NaN) : new Uint16Array(size).fill(0x7e00),
    );
  }

  /** Runs one ragged step and keeps each token's output with its sequence. */
  step(parts: readonly StepPart[]): void {
    const { numHeads, headSize } = this.#test;
    const numTokens = parts.reduce((sum, { count }) => sum + count, 0);
    const output = this.#runner.run(this.inputs(parts), [numTokens, numHeads * headSize]);
    let offset = 0;
    for (const { sequence, count } of parts) {
      const length = count * numHeads * headSize;
      const past = this.past[sequence] ?? 0;
      this.outputs[sequence]?.set(output.subarray(offset, offset + length), past * numHeads * headSize);
      this.past[sequence] = past + count;
      offset += length;
    }
  }

  /** Names a block that does not exist in place of every block that lies before `position`. */
  forgetBefore(sequence: number, position: number): void {
    this.#blockTable[sequence]?.fill(-1, 0, Math.floor(position / this.#blockSize));
  }

  /** All 17 inputs of a step. */
  inputs(parts: readonly StepPart[]): (Input | null)[] {
    const { numHeads, numKvHeads, headSize, isPacked, hasSinks, hasNorms } = this.#test;
    const numTokens = parts.reduce((sum, { count }) => sum + count, 0);
    const floats = (data: Float32Array, ...shape: number[]): Input => ({ type: 'float32', shape, data });
    const ints = (values: number[], ...shape: number[]): Input => ({ type: 'int32', shape, data: Int32Array.from(values) });
    const [query, key, value] = [numHeads, numKvHeads, numKvHeads].map((heads, which) => ({
      width: heads * headSize,
      data: this.#gather(parts, heads * headSize, which),
    }));
    if (query === undefined || key === undefined || value === undefined) {
      throw new Error('three projections');
    }
    const half = (this.#test.rotarySize ?? 0) / 2;
    const rotary = (table: Float32Array): Input | null => (half === 0 ? null : floats(table, maxPositions, half));
    const norm = (weight: Float32Array): Input | null => (hasNorms === true ? floats(weight, headSize) : null);
    const starts = parts.reduce<number[]>((sums, { count }) => [...sums, (sums.at(-1) ?? 0) + count], [0]);
    const tables = parts.flatMap(({ sequence }) => this.#blockTable[sequence] ?? []);
    return [
      isPacked === true
        ? floats(interleave([query, key, value], numTokens), numTokens, query.width + key.width + value.width)
        : floats(query.data, numTokens, query.width),
      isPacked === true ? null : floats(key.data, numTokens, key.width),
      isPacked === true ? null : floats(value.data, numTokens, value.width),
      ...this.#caches.map((data): Input => {
        const shape = [this.#numBlocks, this.#blockSize, numKvHeads, headSize];
        return { type: this.#test.cacheType ?? 'float16', shape, data, isUpdated: true };
      }),
      ints(starts, parts.length + 1),
      ints(
        parts.map(({ sequence }) => this.past[sequence] ?? 0),
        parts.length,
      ),
      ints(tables, parts.length, this.#blocksPerSequence),
      rotary(this.#shared.cosines),
      rotary(this.#shared.sines),
      null,
      hasSinks === true ? floats(this.#shared.sinks, numHeads) : null,
      norm(this.#shared.queryNorm),
      norm(this.#shared.keyNorm),
      null,
      null,
      ints([0, 0], 2),
    ];
  }

  get #numBlocks(): number {
    return this.#blocksPerSequence * this.#data.length + 3;
  }

  #gather(parts: readonly StepPart[], width: number, which: number): Float32Array {
    const rows = parts.map(({ sequence, count }) => {
      const data = this.#data[sequence];
      const source = data === undefined ? undefined : [data.query, data.key, data.value][which];
      const past = this.past[sequence] ?? 0;
      return source?.subarray(past * width, (past + count) * width) ?? new Float32Array(0);
    });
    const all = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
    let offset = 0;
    for (const row of rows) {
      all.set(row, offset);
      offset += row.length;
    }
    return all;
  }
}

function interleave(columns: readonly { width: number; data: Float32Array }[], numRows: number): Float32Array {
  const width = columns.reduce((sum, column) => sum + column.width, 0);
  const all = new Float32Array(numRows * width);
  for (let row = 0; row < numRows; row++) {
    let offset = row * width;
    for (const column of columns) {
      all.set(column.data.subarray(row * column.width, (row + 1) * column.width), offset);
      offset += column.width;
    }
  }
  return all;
}
