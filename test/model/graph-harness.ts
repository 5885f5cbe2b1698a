// Runs a served graph directly, with any split of tokens into steps, and returns the logits of every token.
import { rmSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openGguf, readPackage, writePackage, type TarsPackage } from '../../src/formats/index.js';
import { KvCache } from '../../src/engine/kv-cache.js';
import { buildDecoder, planPackage, type Recipe } from '../../src/graph/index.js';
import type { CacheType } from '../../src/quant/index.js';
import { Environment, IoBinding, Session, findOperatorLibrary, type ElementType } from '../../src/runtime/index.js';

export const blockSize = 16;
const numBlocks = 256;

/** Part of a step: new tokens of a sequence whose cache blocks already hold `past` tokens. */
export interface StepPart {
  readonly tokens: readonly number[];
  readonly past: number;
  /** Cache blocks of the sequence, enough for past and new tokens. */
  readonly blocks: readonly number[];
}

export class GraphHarness implements AsyncDisposable {
  readonly vocabSize: number;
  readonly #environment: Environment;
  readonly #session: Session;
  readonly #cache: KvCache;
  readonly #folder: string;

  private constructor(
    folder: string,
    environment: Environment,
    session: Session,
    tarsPackage: TarsPackage,
    cacheType: CacheType,
  ) {
    const { numLayers, numKvHeads, headSize } = tarsPackage.metadata.hyperParameters;
    const head = tarsPackage.tensors.get('lm_head') ?? tarsPackage.tensors.get('model.embed_tokens');
    this.vocabSize = head?.numRows ?? 0;
    this.#folder = folder;
    this.#environment = environment;
    this.#session = session;
    this.#cache = new KvCache(environment, { numLayers, numBlocks, blockSize, numKvHeads, headSize, type: cacheType });
  }

  /** Packs a GGUF file into a temporary folder and builds its session. */
  static async open(gguf: string, recipe: Recipe, cacheType: CacheType = 'float32'): Promise<GraphHarness> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tars-graph-'));
    const file = path.join(folder, 'model.tars');
    const source = openGguf(gguf);
    const { hyperParameters, tokenizer } = source;
    const metadata = { recipe, sourceDigest: 'sha256:test', hyperParameters, tokenizer };
    await writePackage(file, source, planPackage(source, recipe), metadata, () => undefined);
    source.close();
    const tarsPackage = readPackage(file);
    const environment = new Environment();
    const contextLength = Math.min(hyperParameters.contextLength, numBlocks * blockSize);
    const session = await Session.create(environment, buildDecoder(tarsPackage, { contextLength, cacheType, blockSize }), {
      numThreads: 2,
      operatorLibraries: [findOperatorLibrary(process.env['TARS_NATIVE_LIBRARY'])],
      config: { 'session.model_external_initializers_file_folder_path': '/' },
    });
    return new GraphHarness(folder, environment, session, tarsPackage, cacheType);
  }

  /** Runs one ragged step and returns the logits of every token, [tokens of all parts][vocabulary]. */
  step(parts: readonly StepPart[]): Float32Array[] {
    const tokens = parts.flatMap((part) => part.tokens);
    const cumulative = parts.reduce<number[]>((sums, part) => [...sums, (sums.at(-1) ?? 0) + part.tokens.length], [0]);
    const width = Math.max(...parts.map((part) => part.blocks.length));
    const table = parts.flatMap((part) => Array.from({ length: width }, (_, index) => part.blocks[index] ?? 0));
    const maxNew = Math.max(...parts.map((part) => part.tokens.length));
    const maxTotal = Math.max(...parts.map((part) => part.past + part.tokens.length));
    const owned: Disposable[] = [];
    const own = <T extends Disposable>(resource: T): T => {
      owned.push(resource);
      return resource;
    };
    const binding = own(new IoBinding(this.#session));
    const bind = (name: string, type: ElementType, shape: readonly number[], values: BigInt64Array | Int32Array): void => {
      const memory = own(this.#environment.allocate(values.byteLength));
      new Uint8Array(memory.view()).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      binding.bindInput(name, own(this.#environment.tensor(type, shape, memory.address)));
    };
    try {
      bind('input_ids', 'int64', [tokens.length], BigInt64Array.from(tokens, BigInt));
      bind('cumulative_sequence_length', 'int32', [cumulative.length], Int32Array.from(cumulative));
      bind('past_seqlens', 'int32', [parts.length], Int32Array.from(parts.map((part) => part.past)));
      bind('block_table', 'int32', [parts.length, width], Int32Array.from(table));
      bind('attention_metadata', 'int32', [2], Int32Array.from([maxNew, maxTotal]));
      bind(
        'logits_index',
        'int64',
        [tokens.length],
        BigInt64Array.from(tokens, (_, index) => BigInt(index)),
      );
      for (const { name, tensor } of this.#cache.tensors) {
        binding.bindInput(name, tensor);
      }
      const logits = own(this.#environment.allocate(tokens.length * this.vocabSize * 4));
      const shape = [tokens.length, this.vocabSize];
      binding.bindOutput('logits', own(this.#environment.tensor('float32', shape, logits.address)));
      this.#session.run(binding);
      const values = new Float32Array(logits.view(), 0, tokens.length * this.vocabSize);
      return tokens.map((_, index) => values.slice(index * this.vocabSize, (index + 1) * this.vocabSize));
    } finally {
      owned.toReversed().forEach((resource) => resource[Symbol.dispose]());
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cache[Symbol.dispose]();
    this.#session[Symbol.dispose]();
    this.#environment[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Largest absolute difference between two lists of rows. */
export function largestDifference(actual: readonly Float32Array[], expected: readonly Float32Array[]): number {
  let largest = 0;
  expected.forEach((row, index) => {
    row.forEach((value, column) => {
      const difference = Math.abs(value - (actual[index]?.[column] ?? NaN));
      // NaN must not pass for a small difference.
      largest = difference <= largest ? largest : difference;
    });
  });
  return largest;
}
