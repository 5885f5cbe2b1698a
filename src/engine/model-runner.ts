// Turns a step plan into one session run: fills the ragged batch's input buffers, binds them, and returns the logits.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { IoBinding, type ElementType, type Environment, type NativeMemory, type Session, type Tensor } from '../runtime/index.js';
import { KvCache, type KvCacheShape } from './kv-cache.js';
import type { StepPlan } from './scheduler.js';

// A decode step runs on this very thread: handing it to another one and back costs 0.3 to 1 ms a token on two cores. Messages
// are read between steps. Steps with a chunk of a prompt take long enough to be worth the detour.
const maxBlockingTokens = 32;

export interface ModelRunnerLimits {
  /** Most tokens in one step. */
  readonly maxTokens: number;
  readonly maxSequences: number;
  /** Most rows of logits in one step. */
  readonly maxLogits: number;
  /** Most blocks of one sequence. */
  readonly maxSequenceBlocks: number;
  readonly vocabSize: number;
}

/** Runs steps of one session, one at a time. */
export class ModelRunner implements Disposable {
  readonly #environment: Environment;
  readonly #session: Session;
  readonly #binding: IoBinding;
  readonly #cache: KvCache;
  readonly #limits: ModelRunnerLimits;
  readonly #memory: NativeMemory[] = [];
  /** Tensors of the step's inputs and output, by name, as they are bound now. */
  readonly #bound = new Map<string, Tensor>();
  readonly #inputIds: StepBuffer<BigInt64Array>;
  readonly #logitsIndex: StepBuffer<BigInt64Array>;
  readonly #cumulativeLength: StepBuffer<Int32Array>;
  readonly #pastSeqlens: StepBuffer<Int32Array>;
  readonly #blockTable: StepBuffer<Int32Array>;
  readonly #attentionMetadata: StepBuffer<Int32Array>;
  readonly #logits: StepBuffer<Float32Array>;

  constructor(environment: Environment, session: Session, cacheShape: KvCacheShape, limits: ModelRunnerLimits) {
    this.#environment = environment;
    this.#session = session;
    this.#limits = limits;
    this.#binding = new IoBinding(session);
    this.#cache = new KvCache(environment, cacheShape);
    const { maxTokens, maxSequences, maxLogits, maxSequenceBlocks, vocabSize } = limits;
    this.#inputIds = this.#buffer('int64', maxTokens, BigInt64Array);
    this.#logitsIndex = this.#buffer('int64', maxLogits, BigInt64Array);
    this.#cumulativeLength = this.#buffer('int32', maxSequences + 1, Int32Array);
    this.#pastSeqlens = this.#buffer('int32', maxSequences, Int32Array);
    this.#blockTable = this.#buffer('int32', maxSequences * maxSequenceBlocks, Int32Array);
    this.#attentionMetadata = this.#buffer('int32', 2, Int32Array);
    this.#logits = this.#buffer('float32', maxLogits * vocabSize, Float32Array);
    for (const { name, tensor } of this.#cache.tensors) {
      this.#binding.bindInput(name, tensor);
    }
  }

  /** Bytes of cache and buffers. */
  get byteLength(): number {
    return this.#memory.reduce((sum, memory) => sum + memory.byteLength, this.#cache.byteLength);
  }

  /**
   * Runs the plan and returns the rows of logits [vocabulary] that its entries want, in order. The rows are views that
   * the next run overwrites.
   */
  async run(plan: StepPlan): Promise<Float32Array[]> {
    const shape = this.#fill(plan);
    this.#bind(shape);
    if (shape.numTokens <= maxBlockingTokens) {
      await nextTurn();
      this.#session.run(this.#binding);
    } else {
      await this.#session.runAsync(this.#binding);
    }
    const { vocabSize } = this.#limits;
    return Array.from({ length: shape.numLogits }, (_, row) =>
      this.#logits.values.subarray(row * vocabSize, (row + 1) * vocabSize),
    );
  }

  [Symbol.dispose](): void {
    this.#binding[Symbol.dispose]();
    this.#bound.forEach((tensor) => tensor[Symbol.dispose]());
    this.#cache[Symbol.dispose]();
    for (const memory of this.#memory) {
      memory[Symbol.dispose]();
    }
  }

  #fill(plan: StepPlan): StepShape {
    const tableWidth = Math.max(...plan.map(({ sequence }) => sequence.blocks.length));
    let numTokens = 0;
    let numLogits = 0;
    let maxNew = 0;
    let maxTotal = 0;
    plan.forEach(({ sequence, numTokens: count, numLogits: wanted }, index) => {
      const { numComputed } = sequence;
      this.#cumulativeLength.values[index] = numTokens;
      this.#pastSeqlens.values[index] = numComputed;
      for (let offset = 0; offset < count; offset++) {
        this.#inputIds.values[numTokens + offset] = BigInt(sequence.tokens[numComputed + offset] ?? 0);
      }
      for (let block = 0; block < tableWidth; block++) {
        this.#blockTable.values[index * tableWidth + block] = sequence.blocks[block] ?? 0;
      }
      numTokens += count;
      for (let token = numTokens - wanted; token < numTokens; token++) {
        this.#logitsIndex.values[numLogits++] = BigInt(token);
      }
      maxNew = Math.max(maxNew, count);
      maxTotal = Math.max(maxTotal, numComputed + count);
    });
    this.#cumulativeLength.values[plan.length] = numTokens;
    this.#attentionMetadata.values.set([maxNew, maxTotal]);
    return { numTokens, numLogits, numSequences: plan.length, tableWidth };
  }

  /** Binds this step's shapes. While sequences only decode, shapes stay for many steps and nothing has to be bound. */
  #bind({ numTokens, numLogits, numSequences, tableWidth }: StepShape): void {
    this.#bindShape('input_ids', this.#inputIds, [numTokens]);
    this.#bindShape('cumulative_sequence_length', this.#cumulativeLength, [numSequences + 1]);
    this.#bindShape('past_seqlens', this.#pastSeqlens, [numSequences]);
    this.#bindShape('block_table', this.#blockTable, [numSequences, tableWidth]);
    this.#bindShape('attention_metadata', this.#attentionMetadata, [2]);
    this.#bindShape('logits_index', this.#logitsIndex, [numLogits]);
    this.#bindShape('logits', this.#logits, [numLogits, this.#limits.vocabSize]);
  }

  #bindShape(name: string, buffer: StepBuffer, shape: readonly number[]): void {
    const bound = this.#bound.get(name);
    if (bound?.shape.every((size, axis) => size === shape[axis])) {
      return;
    }
    const tensor = this.#environment.tensor(buffer.type, shape, buffer.address);
    if (name === 'logits') {
      this.#binding.bindOutput(name, tensor);
    } else {
      this.#binding.bindInput(name, tensor);
    }
    this.#bound.set(name, tensor);
    bound?.[Symbol.dispose]();
  }

  #buffer<T>(
    type: ElementType,
    length: number,
    View: new (buffer: ArrayBuffer, offset: number, length: number) => T,
  ): StepBuffer<T> {
    const bytes = length * (type === 'int64' ? 8 : 4);
    const memory = this.#environment.allocate(bytes);
    this.#memory.push(memory);
    return { type, address: memory.address, values: new View(memory.view(), 0, length) };
  }
}

interface StepBuffer<T = unknown> {
  readonly type: ElementType;
  readonly address: bigint;
  readonly values: T;
}

interface StepShape {
  readonly numTokens: number;
  readonly numLogits: number;
  readonly numSequences: number;
  readonly tableWidth: number;
}
