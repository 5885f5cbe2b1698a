// Writes a random-weight Llama of 1.2 B shape (16 layers, hidden 2048, 32/8 heads of 64, feed-forward 8192, vocabulary
// 128,256, tied head) as GGUF with the tokenizer of a real model padded to that vocabulary. File types: q4_0 (Q4_0 body, Q8_0
// table) and q4_k_m (llama.cpp's mixture: Q4_K body; Q6_K for the table and for some layers' attn_v and ffn_down).
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { GgufFile } from '../dist/formats/index.js';

const shape = { layers: 16, hidden: 2048, heads: 32, kvHeads: 8, headSize: 64, feedForward: 8192, vocabulary: 128_256 };
const alignment = 32;

/** GGUF value types and tensor types that this writer uses. */
const value = { uint32: 4, int32: 5, float32: 6, string: 8, array: 9 };
const tensorType = { f32: 0, q4_0: 2, q8_0: 8, q4_k: 12, q6_k: 14 };

/** Elements and bytes of one block of each tensor type. */
const blockSizes = {
  [tensorType.f32]: [1, 4],
  [tensorType.q4_0]: [32, 18],
  [tensorType.q8_0]: [32, 34],
  [tensorType.q4_k]: [256, 144],
  [tensorType.q6_k]: [256, 210],
};

/** Per file type: its number in GGUF, and the tensor types of the table, the body, and the matrices that get more bits. */
const fileTypes = {
  q4_0: { ggufNumber: 2, table: tensorType.q8_0, body: tensorType.q4_0, finer: tensorType.q4_0 },
  q4_k_m: { ggufNumber: 15, table: tensorType.q6_k, body: tensorType.q4_k, finer: tensorType.q6_k },
};

/**
 * Makes the file unless it is there already, and returns its path. `tokenizerFile` is a GGUF with a byte-level BPE vocabulary;
 * `fileType` is q4_0 or q4_k_m.
 */
export function ensureRandomModel(folder, tokenizerFile, fileType = 'q4_0') {
  const file = path.join(folder, `random-llama-1.2b-${fileType}.gguf`);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    writeModel(`${file}.partial`, tokenizerFile, fileTypes[fileType]);
    renameSync(`${file}.partial`, file);
  }
  return file;
}

function writeModel(file, tokenizerFile, fileType) {
  const tensors = modelTensors(fileType);
  let offset = 0;
  for (const tensor of tensors) {
    tensor.offset = offset;
    tensor.bytes = tensorBytes(tensor);
    offset += Math.ceil(tensor.bytes / alignment) * alignment;
  }
  const header = headerBytes(tensors, tokenizerFile, fileType);
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

function modelTensors({ table, body, finer }) {
  const { layers, hidden, heads, kvHeads, headSize, feedForward, vocabulary } = shape;
  const tensors = [{ name: 'token_embd.weight', dims: [hidden, vocabulary], type: table }];
  for (let layer = 0; layer < layers; layer++) {
    const matrix = (name, dims, type = body) => tensors.push({ name: `blk.${layer}.${name}.weight`, dims, type });
    const sensitive = getsMoreBits(layer, layers) ? finer : body;
    const vector = (name) => tensors.push({ name: `blk.${layer}.${name}.weight`, dims: [hidden], type: tensorType.f32 });
    vector('attn_norm');
    matrix('attn_q', [hidden, heads * headSize]);
    matrix('attn_k', [hidden, kvHeads * headSize]);
    matrix('attn_v', [hidden, kvHeads * headSize], sensitive);
    matrix('attn_output', [heads * headSize, hidden]);
    vector('ffn_norm');
    matrix('ffn_gate', [hidden, feedForward]);
    matrix('ffn_up', [hidden, feedForward]);
    matrix('ffn_down', [feedForward, hidden], sensitive);
  }
  tensors.push({ name: 'output_norm.weight', dims: [hidden], type: tensorType.f32 });
  return tensors;
}

/** llama.cpp's choice (`use_more_bits`): the first and the last eighth of the layers and every third between, half of 16. */
function getsMoreBits(layer, layers) {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

function tensorBytes({ dims, type }) {
  const elements = dims.reduce((product, size) => product * size, 1);
  const [blockElements, blockBytes] = blockSizes[type];
  return (elements / blockElements) * blockBytes;
}

function headerBytes(tensors, tokenizerFile, { ggufNumber }) {
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
    ['general.file_type', value.uint32, ggufNumber],
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
  // `scales` are the float16 fields of a block: [byte offset, least value as bits, mask of the random bits added to it].
  const quantised = (type, scales) => {
    const blockBytes = blockSizes[type][1];
    const bytes = Buffer.alloc(blockBytes * 65_536);
    for (let position = 0; position < bytes.length; position += 4) {
      bytes.writeUInt32LE(next(), Math.min(position, bytes.length - 4));
    }
    for (let block = 0; block < 65_536; block++) {
      for (const [offset, least, mask] of scales) {
        bytes.writeUInt16LE(least + (next() & mask), block * blockBytes + offset);
      }
    }
    return bytes;
  };
  const ones = Buffer.alloc(4 * 4096);
  for (let index = 0; index < 4096; index++) {
    ones.writeFloatLE(1, index * 4);
  }
  // f16 0x1800 is 0.002: with codes of 4 bits a weight has a standard deviation of about 0.01; 8 bits need 1/16 of that. The
  // K types multiply their scale by a factor of 6 or 8 bits, which leaves subnormal numbers, as in real files; the min of Q4_K
  // is 7.5 scales, so that weights are around zero.
  const chunks = {
    [tensorType.q4_0]: quantised(tensorType.q4_0, [[0, 0x1800, 0xff]]),
    [tensorType.q8_0]: quantised(tensorType.q8_0, [[0, 0x0800, 0xff]]),
    [tensorType.q4_k]: quantised(tensorType.q4_k, [
      [0, 0x0270, 0x3f],
      [2, 0x0cb0, 0x1f],
    ]),
    [tensorType.q6_k]: quantised(tensorType.q6_k, [[208, 0x0070, 0x0f]]),
    [tensorType.f32]: ones,
  };
  return (type) => chunks[type];
}
