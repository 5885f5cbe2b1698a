// A GGUF file as a TensorSource: canonical names, canonical row order, everything read on demand.
import { TarsError } from '../../errors/index.js';
import { rawRowBytes } from '../../quant/index.js';
import type { TokenizerModel } from '../../tokenizer/index.js';
import type { HyperParameters, TensorInfo, TensorSource } from '../tensor-source.js';
import { familyOf } from './families.js';
import { GgufFile } from './gguf-file.js';
import { readHyperParameters } from './hyper-parameters.js';
import { readRotaryRows } from './rotary-rows.js';
import { mapTensors, type MappedTensor } from './tensor-map.js';
import { readTokenizer } from './tokenizer-data.js';

export class GgufTensorSource implements TensorSource {
  readonly hyperParameters: HyperParameters;
  readonly #file: GgufFile;
  readonly #tensors: ReadonlyMap<string, MappedTensor>;
  #tokenizer: TokenizerModel | undefined;

  /** Takes over `file`: `close()` closes it. Errors: ARCHITECTURE_UNSUPPORTED, FORMAT_UNSUPPORTED, FILE_INVALID. */
  constructor(file: GgufFile) {
    this.#file = file;
    this.hyperParameters = readHyperParameters(file);
    const family = familyOf(this.hyperParameters.architecture);
    if (family === undefined) {
      throw new TarsError('INTERNAL', {
        reason: `family "${this.hyperParameters.architecture}" has hyper-parameters but no tensors`,
      });
    }
    this.#tensors = mapTensors(file, this.hyperParameters, family);
  }

  get tensors(): ReadonlyMap<string, TensorInfo> {
    return this.#tensors;
  }

  /** Decoded at first use: opening a model to look at its tensors does not pay for its vocabulary. */
  get tokenizer(): TokenizerModel {
    this.#tokenizer ??= readTokenizer(this.#file);
    return this.#tokenizer;
  }

  get chatTemplate(): string | undefined {
    return this.#file.metadata.string('tokenizer.chat_template');
  }

  readRows(name: string, firstRow: number, numRows: number): Uint8Array {
    const tensor = this.#tensors.get(name);
    const numStored = tensor === undefined || tensor.shape.length === 1 ? 1 : (tensor.shape[0] ?? 1);
    if (tensor === undefined || firstRow < 0 || numRows < 0 || firstRow + numRows > numStored) {
      throw new TarsError('INTERNAL', { reason: `no rows ${firstRow} to ${firstRow + numRows} of tensor "${name}"` });
    }
    return tensor.shape.length === 1 ? this.#readVector(tensor) : this.#readMatrixRows(tensor, firstRow, numRows);
  }

  close(): void {
    this.#file.close();
  }

  #readMatrixRows(tensor: MappedTensor, firstRow: number, numRows: number): Uint8Array {
    return this.#readUnits(tensor, rawRowBytes(tensor.type, tensor.shape[1] ?? 1), firstRow, numRows);
  }

  /** A vector is one row, but its elements are what a rotary order moves. */
  #readVector(tensor: MappedTensor): Uint8Array {
    return this.#readUnits(tensor, rawRowBytes(tensor.type, 1), 0, tensor.shape[0] ?? 1);
  }

  /** Reads `count` units of `unitBytes` (rows of a matrix, elements of a vector) in canonical order. */
  #readUnits(tensor: MappedTensor, unitBytes: number, first: number, count: number): Uint8Array {
    const read = (from: number, length: number): Uint8Array =>
      this.#file.readBytes(tensor.stored.offset + from * unitBytes, length * unitBytes);
    if (!tensor.isRotary) {
      return read(first, count);
    }
    const { headSize, rope } = this.hyperParameters;
    return readRotaryRows({ headSize, rotarySize: rope.rotarySize }, unitBytes, first, count, read);
  }
}

/** Opens a GGUF model. Errors: those of GgufFile.open and of the GgufTensorSource constructor. */
export function openGguf(path: string): GgufTensorSource {
  const file = GgufFile.open(path);
  try {
    return new GgufTensorSource(file);
  } catch (error) {
    file.close();
    throw error;
  }
}
