// Which matrices and vectors a model's package holds, and in which kernel type. The graph builder reads the same names back.
import { TarsError } from '../errors/index.js';
import type { HyperParameters, PlannedTensor, TensorInfo } from '../formats/index.js';
import { kernelTypeOf, rowsPerGroup, type KernelType } from '../quant/index.js';
import { architectureOf } from './architectures/index.js';

/** `exact`: the file's own codes, scales and mins. `f32`: everything dequantised to float32, for comparisons. */
export type Recipe = 'exact' | 'f32';

interface Source {
  readonly hyperParameters: HyperParameters;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/** Plans the package of a model. Throws ARCHITECTURE_UNSUPPORTED, or INTERNAL naming a tensor that the model lacks. */
export function planPackage(source: Source, recipe: Recipe): PlannedTensor[] {
  const { hyperParameters } = source;
  const traits = architectureOf(hyperParameters.architecture);
  const planner = new Planner(source, recipe);
  planner.matrix('model.embed_tokens', ['model.embed_tokens.weight']);
  for (let layer = 0; layer < hyperParameters.numLayers; layer++) {
    const prefix = `model.layers.${layer}`;
    const attention = `${prefix}.self_attn`;
    planner.vector(`${prefix}.input_layernorm`, [`${prefix}.input_layernorm.weight`]);
    planner.fuse(`${attention}.qkv_proj`, 'concatenated', [`${attention}.q_proj`, `${attention}.k_proj`, `${attention}.v_proj`]);
    if (traits.hasQkNorm) {
      planner.vector(`${attention}.q_norm`, [`${attention}.q_norm.weight`]);
      planner.vector(`${attention}.k_norm`, [`${attention}.k_norm.weight`]);
    }
    planner.linear(`${attention}.o_proj`);
    planner.vector(`${prefix}.post_attention_layernorm`, [`${prefix}.post_attention_layernorm.weight`]);
    planner.fuse(`${prefix}.mlp.gate_up_proj`, 'alternating', [`${prefix}.mlp.gate_proj`, `${prefix}.mlp.up_proj`]);
    planner.linear(`${prefix}.mlp.down_proj`);
  }
  planner.vector('model.norm', ['model.norm.weight']);
  if (source.tensors.has('lm_head.weight')) {
    planner.linear('lm_head');
  }
  return planner.planned;
}

class Planner {
  readonly planned: PlannedTensor[] = [];
  readonly #source: Source;
  readonly #recipe: Recipe;

  constructor(source: Source, recipe: Recipe) {
    this.#source = source;
    this.#recipe = recipe;
  }

  /** A linear layer: its matrix, and its bias when the model has one. */
  linear(name: string): void {
    this.matrix(name, [`${name}.weight`]);
    if (this.#source.tensors.has(`${name}.bias`)) {
      this.vector(`${name}.bias`, [`${name}.bias`]);
    }
  }

  /** Linear layers that share their input become one matrix when their types and shapes allow it, else they stay apart. */
  fuse(name: string, order: 'concatenated' | 'alternating', parts: readonly string[]): void {
    const weights = parts.map((part) => `${part}.weight`);
    const biases = parts.map((part) => `${part}.bias`).filter((bias) => this.#source.tensors.has(bias));
    const types = new Set(weights.map((weight) => this.#kernelType(weight)));
    const rows = weights.map((weight) => this.#tensor(weight).shape[0] ?? 0);
    const canAlternate = biases.length === 0 && new Set(rows).size === 1 && (rows[0] ?? 0) % rowsPerGroup === 0;
    const allOrNoBias = biases.length === 0 || biases.length === parts.length;
    if (types.size > 1 || !allOrNoBias || (order === 'alternating' && !canAlternate)) {
      for (const part of parts) {
        this.linear(part);
      }
      return;
    }
    this.matrix(name, weights, order);
    if (biases.length > 0) {
      this.vector(`${name}.bias`, biases);
    }
  }

  matrix(name: string, sources: readonly string[], order: 'concatenated' | 'alternating' = 'concatenated'): void {
    const type = this.#kernelType(sources[0] ?? '');
    this.planned.push({ kind: 'matrix', name, type, sources, order });
  }

  vector(name: string, sources: readonly string[]): void {
    sources.forEach((source) => this.#tensor(source));
    this.planned.push({ kind: 'vector', name, sources });
  }

  #kernelType(source: string): KernelType {
    const { type } = this.#tensor(source);
    return this.#recipe === 'f32' ? 'f32' : kernelTypeOf(type);
  }

  #tensor(name: string): TensorInfo {
    const info = this.#source.tensors.get(name);
    if (info === undefined) {
      throw new TarsError('INTERNAL', { reason: `the model has no tensor ${name}` });
    }
    return info;
  }
}
