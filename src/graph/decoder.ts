// The decoder graph in the ragged, paged contract: one flat list of tokens of any mix of sequences.
import type { TarsPackage } from '../formats/index.js';
import { cacheRow, type CacheType } from '../quant/index.js';
import { selfAttention, type AttentionInputs } from './blocks/attention.js';
import { embedding, linear } from './blocks/linear.js';
import { gatedMlp } from './blocks/mlp.js';
import { rmsNorm } from './blocks/norm.js';
import { GraphBuilder } from './graph-builder.js';
import { serializeModel } from './onnx/index.js';
import { ropeTables } from './rope.js';

export interface DecoderOptions {
  /** Longest sequence in tokens: the number of rows of the rotary tables. */
  readonly contextLength: number;
  readonly cacheType: CacheType;
  /** Token places of one cache block. */
  readonly blockSize: number;
}

/**
 * Builds the ModelProto of a packaged decoder. Weights are references into the package file: the session must be created
 * with `session.model_external_initializers_file_folder_path` set to `/`.
 */
export function buildDecoder(tarsPackage: TarsPackage, options: DecoderOptions): Uint8Array {
  const { hyperParameters: hyper } = tarsPackage.metadata;
  const graph = new GraphBuilder(tarsPackage);
  const ids = graph.input({ name: 'input_ids', type: 'int64', shape: ['tokens'] });
  const inputs = attentionInputs(graph, tarsPackage, options);
  const logitsIndex = graph.input({ name: 'logits_index', type: 'int64', shape: ['num_logits'] });

  let hidden = embedding(graph, '/model/embed_tokens', 'model.embed_tokens', ids);
  for (let layer = 0; layer < hyper.numLayers; layer++) {
    const path = `/model/layers.${layer}`;
    const prefix = `model.layers.${layer}`;
    for (const name of [`key_cache.${layer}`, `value_cache.${layer}`]) {
      const row = cacheRow(options.cacheType, hyper.headSize);
      graph.input({ name, type: row.element, shape: ['blocks', options.blockSize, hyper.numKvHeads, row.length] });
    }
    const normed = rmsNorm(graph, `${path}/input_layernorm`, `${prefix}.input_layernorm`, hidden, hyper.rmsNormEpsilon);
    hidden = selfAttention(graph, { path: `${path}/attn`, layer, hyper, inputs, cacheType: options.cacheType }, normed, hidden);
    const attended = rmsNorm(
      graph,
      `${path}/post_attention_layernorm`,
      `${prefix}.post_attention_layernorm`,
      hidden,
      hyper.rmsNormEpsilon,
    );
    hidden = gatedMlp(graph, `${path}/mlp`, `${prefix}.mlp`, attended, hidden);
  }

  // Only the wanted tokens go through the norm and the head, the largest product of all.
  const wanted = graph.node('/model/Gather', 'Gather', [hidden, logitsIndex], { axis: { int: 0 } });
  const normed = rmsNorm(graph, '/model/norm', 'model.norm', wanted, hyper.rmsNormEpsilon);
  const head = graph.has('lm_head') ? 'lm_head' : 'model.embed_tokens';
  linear(graph, '/lm_head', head, normed, { output: 'logits' });
  graph.output({ name: 'logits', type: 'float32', shape: ['num_logits', graph.tensor(head).numRows] });
  return serializeModel(graph.finish(hyper.architecture));
}

function attentionInputs(graph: GraphBuilder, { metadata }: TarsPackage, options: DecoderOptions): AttentionInputs {
  const { rope } = metadata.hyperParameters;
  const tables = ropeTables(rope, options.contextLength);
  const shape = [options.contextLength, rope.rotarySize / 2];
  return {
    cumulativeSequenceLength: graph.input({ name: 'cumulative_sequence_length', type: 'int32', shape: ['cumulative'] }),
    pastSeqlens: graph.input({ name: 'past_seqlens', type: 'int32', shape: ['sequences'] }),
    blockTable: graph.input({ name: 'block_table', type: 'int32', shape: ['sequences', 'sequence_blocks'] }),
    attentionMetadata: graph.input({ name: 'attention_metadata', type: 'int32', shape: [2] }),
    cosCache: graph.constant('/rope/cos_cache', tables.cos, shape),
    sinCache: graph.constant('/rope/sin_cache', tables.sin, shape),
  };
}
