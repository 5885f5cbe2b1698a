import type { GraphBuilder } from '../graph-builder.js';
import { linear, productAttributes } from './linear.js';

/**
 * SwiGLU: `down(silu(gate(x)) · up(x)) + residual`, [tokens, hidden] → [tokens, hidden].
 *
 *   x ─┬─ GatedMatMul (gate and up in one matrix) ── MatMul(down) + residual
 *      └─ or gate ── Sigmoid ── Mul ── Mul ── up, when the two could not be fused
 */
export function gatedMlp(graph: GraphBuilder, path: string, prefix: string, x: string, residual: string): string {
  const hidden = graph.has(`${prefix}.gate_up_proj`) ? fusedGate(graph, path, prefix, x) : separateGate(graph, path, prefix, x);
  return linear(graph, `${path}/down_proj`, `${prefix}.down_proj`, hidden, { residual });
}

function fusedGate(graph: GraphBuilder, path: string, prefix: string, x: string): string {
  const weight = `${prefix}.gate_up_proj`;
  const { type, numRows, numCols } = graph.tensor(weight);
  const attributes = { ...productAttributes(graph, numRows / 2, numCols, type), activation: { string: 'silu' } };
  return graph.node(`${path}/gate_up_proj/GatedMatMul`, 'GatedMatMul', [x, graph.weight(weight)], attributes, {
    domain: 'tars',
  });
}

function separateGate(graph: GraphBuilder, path: string, prefix: string, x: string): string {
  const gate = linear(graph, `${path}/gate_proj`, `${prefix}.gate_proj`, x);
  const up = linear(graph, `${path}/up_proj`, `${prefix}.up_proj`, x);
  const sigmoid = graph.node(`${path}/act/Sigmoid`, 'Sigmoid', [gate], {});
  const silu = graph.node(`${path}/act/Mul`, 'Mul', [gate, sigmoid], {});
  return graph.node(`${path}/Mul`, 'Mul', [silu, up], {});
}
