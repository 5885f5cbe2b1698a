// Rotary embedding parameters: metadata `{architecture}.rope.*` and the tensor `rope_freqs.weight`.
import { TarsError } from '../../errors/index.js';
import { shortestSingle } from '../../util/index.js';
import type { RopeParameters } from '../tensor-source.js';
import type { GgufFile } from './gguf-file.js';

export const ropeFactorsTensor = 'rope_freqs.weight';

const defaultTheta = 10_000;
/** YaRN's own defaults (arXiv 2309.00071, section 3.4), which files leave out. */
const defaultBetaFast = 32;
const defaultBetaSlow = 1;

/** Errors: FILE_INVALID for impossible values, FORMAT_UNSUPPORTED for scalings that have no exact form here. */
export function readRope(file: GgufFile, architecture: string, headSize: number, contextLength: number): RopeParameters {
  const prefix = `${architecture}.rope`;
  const theta = positiveNumber(file, `${prefix}.freq_base`) ?? defaultTheta;
  const rotarySize = file.metadata.count(`${prefix}.dimension_count`) ?? headSize;
  if (rotarySize < 2 || rotarySize > headSize || rotarySize % 2 !== 0) {
    throw file.metadata.invalid(`${prefix}.dimension_count`, `is ${rotarySize}, impossible with heads of ${headSize} elements`);
  }
  const scaling = readScaling(file, prefix, contextLength);
  const factors = readFactors(file, rotarySize);
  return { theta, rotarySize, scaling: factors === undefined ? scaling : combine(file, factors, scaling) };
}

function readScaling(file: GgufFile, prefix: string, contextLength: number): RopeParameters['scaling'] {
  // A file without a type but with a factor means linear scaling; `rope.scale_linear` is the factor's name in old files.
  const type = file.metadata.string(`${prefix}.scaling.type`) ?? 'linear';
  const factor = positiveNumber(file, `${prefix}.scaling.factor`) ?? positiveNumber(file, `${prefix}.scale_linear`) ?? 1;
  switch (type) {
    case 'none':
      return { type: 'none' };
    case 'linear':
      return factor === 1 ? { type: 'none' } : { type: 'linear', factor };
    case 'yarn':
      return {
        type: 'yarn',
        factor,
        originalContextLength: file.metadata.count(`${prefix}.scaling.original_context_length`) || contextLength,
        betaFast: positiveNumber(file, `${prefix}.scaling.yarn_beta_fast`) ?? defaultBetaFast,
        betaSlow: positiveNumber(file, `${prefix}.scaling.yarn_beta_slow`) ?? defaultBetaSlow,
        ...readYarnAttentionFactor(file, prefix, factor),
      };
    default:
      throw new TarsError('FORMAT_UNSUPPORTED', {
        file: file.path,
        reason: `rope scaling "${type}" is not supported; supported: none, linear, yarn`,
      });
  }
}

/** GGUF's `attn_factor` multiplies YaRN's own attention factor; Hugging Face's replaces it. */
function readYarnAttentionFactor(file: GgufFile, prefix: string, factor: number): { attentionFactor?: number } {
  const multiplier = positiveNumber(file, `${prefix}.scaling.attn_factor`) ?? 1;
  return multiplier === 1 ? {} : { attentionFactor: multiplier * (0.1 * Math.log(Math.max(factor, 1)) + 1) };
}

/** The divisor of each frequency, [rotarySize / 2], from its tensor when the file has one (Llama 3.1 and later). */
function readFactors(file: GgufFile, rotarySize: number): number[] | undefined {
  const tensor = file.tensors.find(({ name }) => name === ropeFactorsTensor);
  if (tensor === undefined) {
    return undefined;
  }
  if (tensor.type.name !== 'F32' || tensor.numElements !== rotarySize / 2) {
    throw new TarsError('FILE_INVALID', {
      file: file.path,
      offset: tensor.offset,
      reason: `tensor "${ropeFactorsTensor}" must hold ${rotarySize / 2} F32 values, not ${tensor.numElements} of ${tensor.type.name}`,
    });
  }
  const bytes = file.readBytes(tensor.offset, tensor.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const factors = Array.from({ length: tensor.numElements }, (_, i) => view.getFloat32(4 * i, true));
  const bad = factors.findIndex((factor) => !(Number.isFinite(factor) && factor > 0));
  if (bad >= 0) {
    throw new TarsError('FILE_INVALID', {
      file: file.path,
      offset: tensor.offset + 4 * bad,
      reason: `rotary factor ${bad} is ${factors[bad]}`,
    });
  }
  return factors;
}

/** GGML applies the factors and a linear scaling together; a linear factor is the same divisor for every frequency. */
function combine(file: GgufFile, factors: readonly number[], scaling: RopeParameters['scaling']): RopeParameters['scaling'] {
  switch (scaling.type) {
    case 'none':
      return { type: 'factors', factors, attentionFactor: 1 };
    case 'linear':
      return { type: 'factors', factors: factors.map((value) => value * scaling.factor), attentionFactor: 1 };
    default:
      throw new TarsError('FORMAT_UNSUPPORTED', {
        file: file.path,
        reason: `rope scaling "${scaling.type}" together with ${ropeFactorsTensor} is not supported`,
      });
  }
}

/** Zero means "not set" to the writers of these keys. */
function positiveNumber(file: GgufFile, key: string): number | undefined {
  const value = file.metadata.number(key);
  if (value === undefined || value === 0) {
    return undefined;
  }
  if (!Number.isFinite(value) || value < 0) {
    throw file.metadata.invalid(key, `has the impossible value ${value}`);
  }
  return shortestSingle(value);
}
