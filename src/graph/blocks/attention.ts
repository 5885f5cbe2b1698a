import type { HyperParameters } from '../../formats/index.js';
import type { CacheType } from '../../quant/index.js';
import type { GraphBuilder } from '../graph-builder.js';
import { linear, trimInputs } from './linear.js';

/** Names of the graph inputs and constants that every attention layer reads. */
export interface AttentionInputs {
  readonly cumulativeSequenceLength: string;
  readonly pastSeqlens: string;
  readonly blockTable: string;
  readonly cosCache: string;
  readonly sinCache: string;
  readonly attentionMetadata: string;
}

/** Which layer is built, and from what. */
export interface AttentionLayer {
  /** Path of its nodes. */
  readonly path: string;
  readonly layer: number;
  readonly hyper: HyperParameters;
  readonly inputs: AttentionInputs;
  readonly cacheType: CacheType;
}

/**
 * Paged self-attention with rotary inside: [tokens, hidden] → [tokens, hidden], residual added.
 *
 *   x ── qkv ── PagedAttention(key_cache.L, value_cache.L) ── o + residual
 */
export function selfAttention(
  graph: GraphBuilder,
  { path, layer, hyper, inputs, cacheType }: AttentionLayer,
  x: string,
  residual: string,
): string {
  const prefix = `model.layers.${layer}.self_attn`;
  const [query, key, value] = projections(graph, path, prefix, x);
  const hasQkNorm = graph.has(`${prefix}.q_norm`);
  const attended = graph.node(
    `${path}/PagedAttention`,
    'PagedAttention',
    trimInputs([
      query,
      key,
      value,
      `key_cache.${layer}`,
      `value_cache.${layer}`,
      inputs.cumulativeSequenceLength,
      inputs.pastSeqlens,
      inputs.blockTable,
      inputs.cosCache,
      inputs.sinCache,
      '',
      '',
      hasQkNorm ? graph.weight(`${prefix}.q_norm`) : '',
      hasQkNorm ? graph.weight(`${prefix}.k_norm`) : '',
      '',
      '',
      inputs.attentionMetadata,
    ]),
    {
      num_heads: { int: hyper.numHeads },
      kv_num_heads: { int: hyper.numKvHeads },
      do_rotary: { int: 1 },
      local_window_size: { int: hyper.slidingWindow ?? -1 },
      qk_norm_epsilon: { float: hyper.rmsNormEpsilon },
      // A cache of bytes does not tell what they hold; one of floats does.
      ...(cacheType === 'q8_0' || cacheType === 'q4_0'
        ? { cache_type: { string: cacheType }, head_size: { int: hyper.headSize } }
        : {}),
    },
    { domain: 'tars' },
  );
  return linear(graph, `${path}/o_proj`, `${prefix}.o_proj`, attended, { residual });
}

/** Packed [q | k | v] when the package fused them, else the three of them. */
function projections(graph: GraphBuilder, path: string, prefix: string, x: string): [string, string, string] {
  if (graph.has(`${prefix}.qkv_proj`)) {
    return [linear(graph, `${path}/qkv_proj`, `${prefix}.qkv_proj`, x), '', ''];
  }
  return [
    linear(graph, `${path}/q_proj`, `${prefix}.q_proj`, x),
    linear(graph, `${path}/k_proj`, `${prefix}.k_proj`, x),
    linear(graph, `${path}/v_proj`, `${prefix}.v_proj`, x),
  ];
}
