// Writes a random-weight Llama of 1.2 B shape (16 layers, hidden 2048, 32/8 heads of 64, feed-forward 8192, vocabulary
// 128,256, tied head) as GGUF: Q4_0 body, Q8_0 table, with the tokenizer of a real model padded to that vocabulary.
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { GgufFile } from '../dist/formats/index.js';

const shape = { layers: 16, hidden: 2048, heads: 32, kvHeads: 8, headSize: 64, feedForward: 8192, vocabulary: 128_256 };
const alignment = 32;

/** GGUF value types and tensor types that this writer uses. */
const value = { uint32: 4, int32: 5, float32: 6, string: 8, array: 9 };
const tensorType = { f32: 0, q4_0: 2, q8_0: 8 };

/** Makes the file unless it is there already, and returns its path. `tokenizerFile` is a GGUF with a byte-level BPE vocabulary. */
export function ensureRandomModel(folder, tokenizerFile) {
  const file = path.join(folder, 'random-llama-1.2b-q4_0.gguf');
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    writeModel(`${file}.partial`, tokenizerFile);
    renameSync(`${file}.partial`, file);
  }
  return file;
}

function writeModel(file, tokenizerFile) {
  const tensors = modelTensors();
  let offset = 0;
  for (const tensor of tensors) {
    tensor.offset = offset;
    tensor.bytes = tensorBytes(tensor);
    offset += Math.ceil(tensor.bytes / alignment) * alignment;
  }
  const header = headerBytes(tensors, tokenizerFile);
  const descriptor = openSync(file, 'w');
  let position = 0;
  const write = (bytes) => {
    writeSync(descriptor, bytes, 0, bytes.length, position);
    position += bytes.length;
  };
  write(header);
  const random = randomBlocks();
  for (const tensor of tensors) {
    let left = tensor.bytes;
    while (left > 0) {
      const block = random(tensor.type);
      const part = block.subarray(0, Math.min(left, block.length));
      write(part);
      left -= part.length;
    }
    write(Buffer.alloc(Math.ceil(position / alignment) * alignment - position));
  }
  closeSync(descriptor);
}

function modelTensors() {
  const { layers, hidden, heads, kvHeads, headSize, feedForward, vocabulary } = shape;
  const tensors = [{ name: 'token_embd.weight', dims: [hidden, vocabulary], type: tensorType.q8_0 }];
  for (let layer = 0; layer < layers; layer++) {
    const matrix = (name, dims) => tensors.push({ name: `blk.${layer}.${name}.weight`, dims, type: tensorType.q4_0 });
    const vector = (name) => tensors.push({ name: `blk.${layer}.${name}.weight`, dims: [hidden], type: tensorType.f32 });
    vector('attn_norm');
    matrix('attn_q', [hidden, heads * headSize]);
    matrix('attn_k', [hidden, kvHeads * headSize]);
    matrix('attn_v', [hidden, kvHeads * headSize]);
    matrix('attn_output', [heads * headSize, hidden]);
    vector('ffn_norm');
    matrix('ffn_gate', [hidden, feedForward]);
    matrix('ffn_up', [hidden, feedForward]);
    matrix('ffn_down', [feedForward, hidden]);
  }
  tensors.push({ name: 'output_norm.weight', dims: [hidden], type: tensorType.f32 });
  return tensors;
}

function tensorBytes({ dims, type }) {
  const elements = dims.reduce((product, size) => product * size, 1);
  return type === tensorType.f32 ? elements * 4 : (elements / 32) * (type === tensorType.q4_0 ? 18 : 34);
}

function headerBytes(tensors, tokenizerFile) {
  const { layers, hidden, heads, kvHeads, feedForward, vocabulary } = shape;
  const source = GgufFile.open(tokenizerFile);
  const tokens = [...source.metadata.get('tokenizer.ggml.tokens')];
  const types = [...source.metadata.get('tokenizer.ggml.token_type')];
  while (tokens.length < vocabulary) {
    types.push(5);
    tokens.push(`<|unused_${tokens.length}|>`);
  }
  const entries = [
    ['general.architecture', value.string, 'llama'],
    ['general.name', value.string, 'random 1.2B'],
    ['general.file_type', value.uint32, 2],
    ['llama.context_length', value.uint32, 131_072],
    ['llama.embedding_length', value.uint32, hidden],
    ['llama.block_count', value.uint32, layers],
    ['llama.feed_forward_length', value.uint32, feedForward],
    ['llama.attention.head_count', value.uint32, heads],
    ['llama.attention.head_count_kv', value.uint32, kvHeads],
    ['llama.attention.layer_norm_rms_epsilon', value.float32, 1e-5],
    ['llama.rope.freq_base', value.float32, 500_000],
    ['llama.rope.dimension_count', value.uint32, shape.headSize],
    ['llama.vocab_size', value.uint32, vocabulary],
    ['tokenizer.ggml.model', value.string, 'gpt2'],
    ['tokenizer.ggml.pre', value.string, source.metadata.get('tokenizer.ggml.pre')],
    ['tokenizer.ggml.tokens', value.array, { type: value.string, items: tokens }],
    ['tokenizer.ggml.token_type', value.array, { type: value.int32, items: types }],
    ['tokenizer.ggml.merges', value.array, { type: value.string, items: source.metadata.get('tokenizer.ggml.merges') }],
    ['tokenizer.ggml.eos_token_id', value.uint32, Number(source.metadata.get('tokenizer.ggml.eos_token_id'))],
  ];
  source.close();
  const writer = new HeaderWriter();
  writer.bytes(Buffer.from('GGUF'));
  writer.uint32(3);
  writer.uint64(tensors.length);
  writer.uint64(entries.length);
  for (const [key, type, data] of entries) {
    writer.string(key);
    writer.uint32(type);
    writer.value(type, data);
  }
  for (const { name, dims, type, offset } of tensors) {
    writer.string(name);
    writer.uint32(dims.length);
    dims.forEach((size) => writer.uint64(size));
    writer.uint32(type);
    writer.uint64(offset);
  }
  writer.pad(alignment);
  return writer.finish();
}

class HeaderWriter {
  #parts = [];
  #length = 0;

  bytes(bytes) {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  uint32(number) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(number | 0);
    this.bytes(bytes);
  }

  uint64(number) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(number));
    this.bytes(bytes);
  }

  float32(number) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(number);
    this.bytes(bytes);
  }

  string(text) {
    const bytes = Buffer.from(text);
    this.uint64(bytes.length);
    this.bytes(bytes);
  }

  value(type, data) {
    if (type === value.string) {
      this.string(data);
    } else if (type === value.float32) {
      this.float32(data);
    } else if (type === value.array) {
      this.uint32(data.type);
      this.uint64(data.items.length);
      data.items.forEach((item) => this.value(data.type, item));
    } else {
      this.uint32(data);
    }
  }

  pad(size) {
    this.bytes(Buffer.alloc(Math.ceil(this.#length / size) * size - this.#length));
  }

  finish() {
    return Buffer.concat(this.#parts);
  }
}

/** Chunks of random blocks: uniform codes, scales near those of real weights so that activations stay finite. */
function randomBlocks() {
  let state = 0x9e3779b9;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const quantised = (blockBytes, scale) => {
    const bytes = Buffer.alloc(blockBytes * 65_536);
    for (let position = 0; position < bytes.length; position += 4) {
      bytes.writeUInt32LE(next(), Math.min(position, bytes.length - 4));
    }
    for (let block = 0; block < 65_536; block++) {
      bytes.writeUInt16LE(scale + (next() & 0xff), block * blockBytes);
    }
    return bytes;
  };
  const ones = Buffer.alloc(4 * 4096);
  for (let index = 0; index < 4096; index++) {
    ones.writeFloatLE(1, index * 4);
  }
  // f16 0x1800 is 0.002: with codes of 4 bits a weight has a standard deviation of about 0.01; 8 bits need 1/16 of that.
  const chunks = { [tensorType.q4_0]: quantised(18, 0x1800), [tensorType.q8_0]: quantised(34, 0x0800), [tensorType.f32]: ones };
  return (type) => chunks[type];
}
