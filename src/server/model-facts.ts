// What a weights file says of itself, read from its header once and kept by digest.
import { describeGguf, ggufModelInfo, GgufFile, type GgufDescription, type ModelInfoValue } from '../formats/index.js';
import type { StoredModel } from '../registry/index.js';
import { RecentMap } from './recent-map.js';

export interface ListedTensor {
  readonly name: string;
  readonly type: string;
  /** GGML order: row length first, as Ollama lists it. */
  readonly shape: readonly number[];
}

export interface ModelFacts {
  readonly description: GgufDescription;
  /** Metadata with every non-empty array as null. */
  readonly modelInfo: Readonly<Record<string, ModelInfoValue>>;
  readonly tensors: readonly ListedTensor[];
  /** Jinja text, when the file carries one. */
  readonly chatTemplate?: string;
  readonly isEmbeddingModel: boolean;
  readonly hasVision: boolean;
  readonly hasAudio: boolean;
}

/** Texts of the tokens that a chat template may name. */
export interface SpecialTokenTexts {
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** The tokenizer puts BOS in front of every prompt by itself. */
  readonly addsBos: boolean;
}

/** Stops the cache from growing without limit; a listing of more models reads some headers again. */
const maxEntries = 256;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class ModelFactsReader {
  readonly #facts = new RecentMap<ModelFacts>(maxEntries);
  readonly #specialTokens = new RecentMap<SpecialTokenTexts>(maxEntries);

  /** Facts of a model. Throws what `GgufFile.open` throws. Each file is read in a turn of the event loop of its own. */
  async facts(model: StoredModel): Promise<ModelFacts> {
    return this.#facts.get(model.weightsDigest) ?? this.#read(model, this.#facts, readFacts);
  }

  /** Decodes the vocabulary, so it is kept apart from the facts that a listing needs. */
  async specialTokens(model: StoredModel): Promise<SpecialTokenTexts> {
    return this.#specialTokens.get(model.weightsDigest) ?? this.#read(model, this.#specialTokens, readSpecialTokens);
  }

  /** All metadata with its arrays; large, so it is never kept. */
  async verboseModelInfo(model: StoredModel): Promise<Record<string, ModelInfoValue>> {
    return this.#read(model, undefined, (file) => ggufModelInfo(file, { verbose: true }));
  }

  async #read<V>(model: StoredModel, cache: RecentMap<V> | undefined, read: (file: GgufFile) => V): Promise<V> {
    await nextTurn();
    const file = GgufFile.open(model.weightsPath);
    try {
      const value = read(file);
      cache?.set(model.weightsDigest, value);
      return value;
    } finally {
      file.close();
    }
  }
}

function readFacts(file: GgufFile): ModelFacts {
  const { metadata, tensors } = file;
  const description = describeGguf(file);
  const chatTemplate = metadata.string('tokenizer.chat_template');
  return {
    description,
    modelInfo: ggufModelInfo(file),
    tensors: tensors.map(({ name, type, shape }) => ({ name, type: type.name, shape })),
    ...(chatTemplate !== undefined && { chatTemplate }),
    isEmbeddingModel: metadata.has(`${description.architecture}.pooling_type`),
    hasVision: metadata.has(`${description.architecture}.vision.block_count`),
    hasAudio: metadata.has(`${description.architecture}.audio.block_count`),
  };
}

function readSpecialTokens({ metadata }: GgufFile): SpecialTokenTexts {
  const tokens = metadata.strings('tokenizer.ggml.tokens') ?? [];
  const textOf = (key: string): string | undefined => {
    const id = metadata.count(`tokenizer.ggml.${key}`);
    return id === undefined ? undefined : tokens[id];
  };
  const bosToken = textOf('bos_token_id');
  const eosToken = textOf('eos_token_id');
  // SentencePiece models add BOS unless the file says otherwise.
  const isSentencePiece = metadata.string('tokenizer.ggml.model') === 'llama';
  return {
    ...(bosToken !== undefined && { bosToken }),
    ...(eosToken !== undefined && { eosToken }),
    addsBos: metadata.boolean('tokenizer.ggml.add_bos_token') ?? isSentencePiece,
  };
}
