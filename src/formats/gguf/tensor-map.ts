// GGUF tensor names to canonical (Hugging Face) names, with the shape that each tensor must have.
import { TarsError } from '../../errors/index.js';
import { blockTypeOfGgmlId, blockTypes, type BlockType } from '../../quant/index.js';
import type { HyperParameters, TensorInfo } from '../tensor-source.js';
import type { Family } from './families.js';
import type { GgufFile } from './gguf-file.js';
import { ropeFactorsTensor } from './rope.js';
import type { GgufTensorInfo } from './tensor-infos.js';

/** A canonical tensor and where the file has it. */
export interface MappedTensor extends TensorInfo {
  readonly stored: GgufTensorInfo;
  /** Whether rows come in interleaved rotary order and must be put back. */
  readonly isRotary: boolean;
}

interface Expected {
  readonly name: string;
  readonly ggufName: string;
  readonly shape: readonly number[];
  readonly isOptional?: boolean;
  readonly isRotary?: boolean;
}

/** Names beyond this are only counted in an error message. */
const maxListedProblems = 8;

/**
 * Finds every tensor of the family in the file. Errors: FILE_INVALID that lists all missing and misshapen tensors;
 * FORMAT_UNSUPPORTED for a tensor type that is not read yet, and for tensors that the family has no place for (leaving one
 * out would compute something else than the model).
 */
export function mapTensors(file: GgufFile, hyperParameters: HyperParameters, family: Family): Map<string, MappedTensor> {
  const byName = new Map(file.tensors.map((tensor) => [tensor.name, tensor]));
  const mapped = new Map<string, MappedTensor>();
  const problems: string[] = [];
  for (const expected of expectedTensors(hyperParameters, family)) {
    const stored = byName.get(expected.ggufName);
    if (stored === undefined) {
      problems.push(...(expected.isOptional ? [] : [`"${expected.ggufName}" is missing`]));
    } else if (!hasShape(stored, expected.shape)) {
      problems.push(`"${stored.name}" has shape [${stored.shape.join(', ')}], not [${[...expected.shape].reverse().join(', ')}]`);
    } else {
      const { name, shape, isRotary = false } = expected;
      mapped.set(name, { name, shape, type: supportedType(file, stored, shape), stored, isRotary });
    }
    byName.delete(expected.ggufName);
  }
  if (problems.length > 0) {
    throw new TarsError('FILE_INVALID', { file: file.path, offset: 0, reason: `tensors: ${listed(problems)}` });
  }
  refuseLeftovers(file, [...byName.keys()]);
  return mapped;
}

/** Shapes are canonical: slowest dimension first. */
function expectedTensors(p: HyperParameters, family: Family): Expected[] {
  const expected: Expected[] = [
    { name: 'model.embed_tokens.weight', ggufName: 'token_embd.weight', shape: [p.vocabSize, p.hiddenSize] },
    { name: 'model.norm.weight', ggufName: 'output_norm.weight', shape: [p.hiddenSize] },
    { name: 'lm_head.weight', ggufName: 'output.weight', shape: [p.vocabSize, p.hiddenSize], isOptional: true },
  ];
  for (let layer = 0; layer < p.numLayers; layer++) {
    expected.push(...layerTensors(p, family, layer));
  }
  return expected;
}

function layerTensors(p: HyperParameters, family: Family, layer: number): Expected[] {
  const canonical = `model.layers.${layer}`;
  const block = `blk.${layer}`;
  const querySize = p.numHeads * p.headSize;
  const keySize = p.numKvHeads * p.headSize;
  const isRotary = family.hasInterleavedRotary;
  const vector = (name: string, ggufName: string, size: number): Expected => ({
    name: `${canonical}.${name}.weight`,
    ggufName: `${block}.${ggufName}.weight`,
    shape: [size],
  });
  const matrix = (name: string, ggufName: string, numRows: number, numCols: number): Expected => ({
    name: `${canonical}.${name}.weight`,
    ggufName: `${block}.${ggufName}.weight`,
    shape: [numRows, numCols],
  });
  const projection = (letter: string, ggufName: string, numRows: number, numCols: number, rotary: boolean): Expected[] => [
    { ...matrix(`self_attn.${letter}_proj`, ggufName, numRows, numCols), isRotary: rotary },
    {
      name: `${canonical}.self_attn.${letter}_proj.bias`,
      ggufName: `${block}.${ggufName}.bias`,
      shape: [numRows],
      isOptional: true,
      isRotary: rotary,
    },
  ];
  return [
    vector('input_layernorm', 'attn_norm', p.hiddenSize),
    vector('post_attention_layernorm', 'ffn_norm', p.hiddenSize),
    ...projection('q', 'attn_q', querySize, p.hiddenSize, isRotary),
    ...projection('k', 'attn_k', keySize, p.hiddenSize, isRotary),
    ...projection('v', 'attn_v', keySize, p.hiddenSize, false),
    ...projection('o', 'attn_output', p.hiddenSize, querySize, false),
    ...(family.hasHeadNorms
      ? [vector('self_attn.q_norm', 'attn_q_norm', p.headSize), vector('self_attn.k_norm', 'attn_k_norm', p.headSize)]
      : []),
    matrix('mlp.gate_proj', 'ffn_gate', p.intermediateSize, p.hiddenSize),
    matrix('mlp.up_proj', 'ffn_up', p.intermediateSize, p.hiddenSize),
    matrix('mlp.down_proj', 'ffn_down', p.hiddenSize, p.intermediateSize),
  ];
}

/** Compares with GGML's order, where the row length comes first and trailing dimensions of 1 may be written or not. */
function hasShape(stored: GgufTensorInfo, shape: readonly number[]): boolean {
  const wanted = [...shape].reverse();
  const rank = Math.max(wanted.length, stored.shape.length);
  return Array.from({ length: rank }, (_, i) => (stored.shape[i] ?? 1) === (wanted[i] ?? 1)).every(Boolean);
}

function supportedType(file: GgufFile, stored: GgufTensorInfo, shape: readonly number[]): BlockType {
  const type = blockTypeOfGgmlId(stored.type.id);
  const isVector = shape.length === 1;
  if (type !== undefined && !(isVector && blockTypes[type].blockElements > 1)) {
    return type;
  }
  const supported = Object.entries(blockTypes).filter(([, info]) => !isVector || info.blockElements === 1);
  throw new TarsError('FORMAT_UNSUPPORTED', {
    file: file.path,
    reason: `tensor "${stored.name}" has type ${stored.type.name}; supported ${isVector ? 'for vectors' : 'types'}: ${supported.map(([name]) => name).join(', ')}`,
  });
}

/** Old converters wrote the rotary frequencies of each layer, which follow from the metadata. */
function refuseLeftovers(file: GgufFile, names: readonly string[]): void {
  const unknown = names.filter((name) => name !== ropeFactorsTensor && !name.endsWith('.attn_rot_embd.weight'));
  if (unknown.length > 0) {
    throw new TarsError('FORMAT_UNSUPPORTED', {
      file: file.path,
      reason: `tensors that the model family does not have: ${listed(unknown)}`,
    });
  }
}

function listed(items: readonly string[]): string {
  const rest = items.length - maxListedProblems;
  return items.slice(0, maxListedProblems).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}
