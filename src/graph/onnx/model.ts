// An ONNX model as plain data, and its serialisation (onnx.proto3; field numbers are named where they are written).
import { ProtobufWriter } from './protobuf-writer.js';

/** `TensorProto.DataType` ids. */
export const onnxTypes = { float32: 1, uint8: 2, int32: 6, int64: 7, float16: 10 } as const;
export type OnnxType = keyof typeof onnxTypes;

export type OnnxAttribute = { readonly int: number } | { readonly float: number } | { readonly string: string };

export interface OnnxNode {
  /** Path-like, for example `/model/layers.0/attn/q_proj/MatMul`. */
  readonly name: string;
  readonly domain: string;
  readonly opType: string;
  /** An empty name is a skipped optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A constant tensor: small ones inline, weights by reference into a file that the session maps. */
export interface OnnxInitializer {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly data: Uint8Array | { readonly file: string; readonly offset: number; readonly byteLength: number };
}

/** A graph input or output; a string dimension is symbolic. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string)[];
}

export interface OnnxModel {
  readonly name: string;
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxInitializer[];
  readonly nodes: readonly OnnxNode[];
  readonly metadata?: Readonly<Record<string, string>>;
}

const irVersion = 10;

/** Bytes of the ModelProto. */
export function serializeModel(model: OnnxModel): Uint8Array {
  const writer = new ProtobufWriter();
  writer.varintField(1, irVersion);
  writer.stringField(2, 'tars'); // producer_name
  writer.messageField(7, (graph) => {
    for (const node of model.nodes) {
      graph.messageField(1, (message) => writeNode(message, node));
    }
    graph.stringField(2, model.name);
    for (const initializer of model.initializers) {
      graph.messageField(5, (message) => writeInitializer(message, initializer));
    }
    for (const value of model.inputs) {
      graph.messageField(11, (message) => writeValue(message, value));
    }
    for (const value of model.outputs) {
      graph.messageField(12, (message) => writeValue(message, value));
    }
  });
  for (const [domain, version] of Object.entries(model.opsets)) {
    writer.messageField(8, (opset) => {
      opset.stringField(1, domain);
      opset.varintField(2, version);
    });
  }
  for (const [key, value] of Object.entries(model.metadata ?? {})) {
    writer.messageField(14, (entry) => writeEntry(entry, key, value));
  }
  return writer.finish();
}

function writeNode(writer: ProtobufWriter, node: OnnxNode): void {
  for (const input of node.inputs) {
    writer.stringField(1, input);
  }
  for (const output of node.outputs) {
    writer.stringField(2, output);
  }
  writer.stringField(3, node.name);
  writer.stringField(4, node.opType);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    writer.messageField(5, (message) => writeAttribute(message, name, attribute));
  }
  writer.stringField(7, node.domain);
}

function writeAttribute(writer: ProtobufWriter, name: string, attribute: OnnxAttribute): void {
  writer.stringField(1, name);
  if ('int' in attribute) {
    writer.varintField(3, attribute.int);
    writer.varintField(20, 2); // AttributeType.INT
  } else if ('float' in attribute) {
    writer.floatField(2, attribute.float);
    writer.varintField(20, 1); // AttributeType.FLOAT
  } else {
    writer.stringField(4, attribute.string);
    writer.varintField(20, 3); // AttributeType.STRING
  }
}

function writeInitializer(writer: ProtobufWriter, initializer: OnnxInitializer): void {
  for (const size of initializer.shape) {
    writer.varintField(1, size);
  }
  writer.varintField(2, onnxTypes[initializer.type]);
  writer.stringField(8, initializer.name);
  const { data } = initializer;
  if (data instanceof Uint8Array) {
    writer.bytesField(9, data);
    return;
  }
  writer.messageField(13, (entry) => writeEntry(entry, 'location', data.file));
  writer.messageField(13, (entry) => writeEntry(entry, 'offset', String(data.offset)));
  writer.messageField(13, (entry) => writeEntry(entry, 'length', String(data.byteLength)));
  writer.varintField(14, 1); // DataLocation.EXTERNAL
}

function writeValue(writer: ProtobufWriter, value: OnnxValue): void {
  writer.stringField(1, value.name);
  writer.messageField(2, (type) =>
    type.messageField(1, (tensor) => {
      tensor.varintField(1, onnxTypes[value.type]);
      tensor.messageField(2, (shape) => {
        for (const size of value.shape) {
          shape.messageField(1, (dimension) => {
            if (typeof size === 'number') {
              dimension.varintField(1, size);
            } else {
              dimension.stringField(2, size);
            }
          });
        }
      });
    }),
  );
}

function writeEntry(writer: ProtobufWriter, key: string, value: string): void {
  writer.stringField(1, key);
  writer.stringField(2, value);
}
