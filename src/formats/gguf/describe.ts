// What a GGUF file says about itself without its weights being read: for listing and showing models, any architecture.
import { shortestSingle } from '../../util/index.js';
import type { GgufFile } from './gguf-file.js';
import { fileTypeName } from './file-types.js';
import type { GgufValue } from './values.js';

export interface GgufDescription {
  /** `general.architecture`, or `unknown`. */
  readonly architecture: string;
  /** Elements of all tensors. */
  readonly parameterCount: number;
  /** Label of the file's quantization, for example `Q4_K_M`, or `unknown`. */
  readonly fileTypeName: string;
  /** In tokens. */
  readonly contextLength?: number;
  readonly embeddingLength?: number;
}

/** A JSON value of `/api/show`'s `model_info`; long arrays are null there. */
export type ModelInfoValue = number | boolean | string | null | readonly ModelInfoValue[];

export function describeGguf(file: GgufFile): GgufDescription {
  const { metadata } = file;
  const architecture = metadata.string('general.architecture') ?? 'unknown';
  const contextLength = metadata.count(`${architecture}.context_length`);
  const embeddingLength = metadata.count(`${architecture}.embedding_length`);
  return {
    architecture,
    parameterCount: file.tensors.reduce((sum, tensor) => sum + tensor.numElements, 0),
    fileTypeName: fileTypeName(metadata.count('general.file_type')),
    ...(contextLength !== undefined && { contextLength }),
    ...(embeddingLength !== undefined && { embeddingLength }),
  };
}

/** Keys that `/api/show` gives elsewhere in its answer. */
const keysShownElsewhere: ReadonlySet<string> = new Set(['general.name', 'tokenizer.chat_template']);

/**
 * Every metadata key with its JSON value, plus the computed `general.parameter_count`. Without `verbose` each array that is
 * not empty is null, and is not decoded. 64-bit integers beyond 2^53 lose their last digits, as JSON numbers do.
 */
export function ggufModelInfo(file: GgufFile, { verbose = false }: { verbose?: boolean } = {}): Record<string, ModelInfoValue> {
  const { metadata } = file;
  const entries = metadata.keys().map((key): [string, ModelInfoValue] => {
    const isHidden = !verbose && (metadata.arrayLength(key) ?? 0) > 0;
    const isSingle = metadata.type(key) === 'float32' || metadata.elementType(key) === 'float32';
    return [key, isHidden ? null : jsonValue(metadata.get(key), isSingle)];
  });
  return {
    // fromEntries defines own properties: a hostile key such as "__proto__" is a key like any other.
    ...Object.fromEntries(entries.filter(([key]) => !keysShownElsewhere.has(key))),
    'general.parameter_count': describeGguf(file).parameterCount,
  };
}

function jsonValue(value: GgufValue | undefined, isSingle: boolean): ModelInfoValue {
  switch (typeof value) {
    case 'undefined':
      return null;
    case 'bigint':
      return Number(value);
    case 'number':
      return isSingle ? shortestSingle(value) : value;
    case 'object':
      return value.map((element) => jsonValue(element, isSingle));
    default:
      return value;
  }
}
