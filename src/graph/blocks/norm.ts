import type { GraphBuilder } from '../graph-builder.js';

/** Root-mean-square norm over the last axis: [tokens, hidden] → [tokens, hidden]. */
export function rmsNorm(graph: GraphBuilder, path: string, weight: string, x: string, epsilon: number): string {
  // SimplifiedLayerNormalization is RMS norm; ONNX Runtime keeps it in the default domain although ONNX does not define it.
  const attributes = { axis: { int: -1 }, epsilon: { float: epsilon } };
  return graph.node(`${path}/RMSNorm`, 'SimplifiedLayerNormalization', [x, graph.weight(weight)], attributes);
}
