// Collects nodes, weights and constants of one graph, and names everything by path.
import { TarsError } from '../errors/index.js';
import type { PackagedTensor, TarsPackage } from '../formats/index.js';
import { activationBits } from './activation-bits.js';
import type { OnnxAttribute, OnnxInitializer, OnnxModel, OnnxNode, OnnxValue } from './onnx/index.js';

export type Attributes = Readonly<Record<string, OnnxAttribute>>;

export class GraphBuilder {
  /** Bits of activations in products with quantised weights. */
  readonly activationBits: 8 | 16;
  readonly #package: TarsPackage;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, OnnxInitializer>();
  readonly #inputs: OnnxValue[] = [];
  readonly #outputs: OnnxValue[] = [];

  constructor(tarsPackage: TarsPackage) {
    this.#package = tarsPackage;
    this.activationBits = activationBits(tarsPackage.metadata.hyperParameters);
  }

  input(value: OnnxValue): string {
    this.#inputs.push(value);
    return value.name;
  }

  output(value: OnnxValue): void {
    this.#outputs.push(value);
  }

  /** Adds a node with one output and returns the output's name: `<name>/output_0`, or `output` when given. */
  node(name: string, opType: string, inputs: readonly string[], attributes: Attributes, options: NodeOptions = {}): string {
    const output = options.output ?? `${name}/output_0`;
    this.#nodes.push({ name, domain: options.domain ?? '', opType, inputs, outputs: [output], attributes });
    return output;
  }

  constant(name: string, values: Float32Array, shape: readonly number[]): string {
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#initializers.set(name, { name, type: 'float32', shape, data });
    return name;
  }

  has(tensor: string): boolean {
    return this.#package.tensors.has(tensor);
  }

  tensor(name: string): PackagedTensor {
    const tensor = this.#package.tensors.get(name);
    if (tensor === undefined) {
      throw new TarsError('FILE_INVALID', { file: this.#package.file, offset: 0, reason: `the package has no tensor ${name}` });
    }
    return tensor;
  }

  /** Makes a packaged tensor an initializer that points into the package file, and returns its name. */
  weight(name: string): string {
    if (!this.#initializers.has(name)) {
      const { kind, numCols, offset, byteLength } = this.tensor(name);
      this.#initializers.set(name, {
        name,
        type: kind === 'matrix' ? 'uint8' : 'float32',
        shape: [kind === 'matrix' ? byteLength : numCols],
        // Absolute without its first slash: the session's base folder for external data is the root.
        data: { file: this.#package.file.replace(/^\//, ''), offset, byteLength },
      });
    }
    return name;
  }

  finish(name: string): OnnxModel {
    return {
      name,
      opsets: { '': 21, 'com.microsoft': 1, tars: 1 },
      inputs: this.#inputs,
      outputs: this.#outputs,
      initializers: [...this.#initializers.values()],
      nodes: this.#nodes,
    };
  }
}

export interface NodeOptions {
  /** `tars` for our own operators; the default domain otherwise. */
  readonly domain?: string;
  readonly output?: string;
}
