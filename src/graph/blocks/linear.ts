import type { Attributes, GraphBuilder } from '../graph-builder.js';

export interface LinearOptions {
  /** Value of the output's shape that is added to it. */
  readonly residual?: string;
  /** Name of the output, when it is an output of the graph. */
  readonly output?: string;
}

/** `x · Wᵀ (+ bias) (+ residual)`: [tokens, columns] → [tokens, rows] of a packaged matrix. */
export function linear(graph: GraphBuilder, path: string, weight: string, x: string, options: LinearOptions = {}): string {
  const { type, numRows, numCols } = graph.tensor(weight);
  const bias = graph.has(`${weight}.bias`) ? graph.weight(`${weight}.bias`) : '';
  const inputs = trimInputs([x, graph.weight(weight), bias, options.residual ?? '']);
  const attributes = productAttributes(graph, numRows, numCols, type);
  return graph.node(`${path}/MatMul`, 'MatMul', inputs, attributes, {
    domain: 'tars',
    ...(options.output === undefined ? {} : { output: options.output }),
  });
}

/** Attributes that the product operators share. */
export function productAttributes(graph: GraphBuilder, numRows: number, numCols: number, type: string): Attributes {
  return {
    N: { int: numRows },
    K: { int: numCols },
    type: { string: type },
    activation_bits: { int: graph.activationBits },
  };
}

/** Rows of a packaged matrix by id: int64 [tokens] → [tokens, columns]. */
export function embedding(graph: GraphBuilder, path: string, weight: string, ids: string): string {
  const { type, numRows, numCols } = graph.tensor(weight);
  const attributes = { N: { int: numRows }, K: { int: numCols }, type: { string: type } };
  return graph.node(`${path}/Gather`, 'Gather', [ids, graph.weight(weight)], attributes, { domain: 'tars' });
}

/** Drops skipped optional inputs from the end, where ONNX wants them left out rather than named empty. */
export function trimInputs(inputs: readonly string[]): string[] {
  const last = inputs.findLastIndex((input) => input !== '');
  return inputs.slice(0, last + 1);
}
