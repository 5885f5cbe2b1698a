import { describe, expect, it, onTestFinished } from 'vitest';
import { array, buildModelGguf, type MetadataValue, type ModelSpec, type TensorSpec } from '../../../test/fixtures/build-gguf.js';
import { temporaryFile } from '../../../test/fixtures/temporary-file.js';
import { TarsError } from '../../errors/index.js';
import { openGguf, type GgufTensorSource } from './gguf-tensor-source.js';
import { storedRow } from './rotary-rows.js';

function open(spec: ModelSpec = {}): GgufTensorSource {
  const source = openGguf(temporaryFile(buildModelGguf(spec)));
  onTestFinished(() => source.close());
  return source;
}

function errorOf(spec: ModelSpec): TarsError {
  try {
    open(spec);
  } catch (error) {
    if (error instanceof TarsError) {
      return error;
    }
    throw error;
  }
  throw new Error('no error');
}

/** A tensor's bytes as the file has them. */
function storedData(spec: ModelSpec, name: string): Buffer {
  let data: Uint8Array | undefined;
  const pick = (tensors: TensorSpec[]): TensorSpec[] => {
    data = tensors.find((tensor) => tensor.name === name)?.data;
    return tensors;
  };
  buildModelGguf({ ...spec, editTensors: pick });
  return Buffer.from(data ?? []);
}

describe('GgufTensorSource hyper-parameters', () => {
  it('reads the plain case', () => {
    expect(open().hyperParameters).toEqual({
      architecture: 'llama',
      hiddenSize: 32,
      intermediateSize: 64,
      numLayers: 2,
      numHeads: 4,
      numKvHeads: 2,
      headSize: 8,
      vocabSize: 8,
      contextLength: 128,
      rmsNormEpsilon: 1e-5,
      rope: { theta: 10_000, rotarySize: 8, scaling: { type: 'none' } },
    });
  });

  it('takes the head size from key_length and heads without head_count_kv', () => {
    const headSize = 16;
    expect(open({ architecture: 'qwen3', headSize }).hyperParameters).toMatchObject({ headSize: 16, rope: { rotarySize: 16 } });
    const plain = open({ numKvHeads: 4, metadata: { 'llama.attention.head_count_kv': undefined } });
    expect(plain.hyperParameters.numKvHeads).toBe(4);
  });

  it('accepts per-layer values when they are equal', () => {
    const key = 'llama.attention.head_count_kv';
    expect(open({ metadata: { [key]: array('uint32', [2, 2]) } }).hyperParameters.numKvHeads).toBe(2);
    expect(errorOf({ metadata: { [key]: array('uint32', [2, 4]) } }).message).toMatch(
      /"llama.attention.head_count_kv" differs by layer/,
    );
  });

  it('drops a sliding window that covers the whole context', () => {
    const window = (size: number): number | undefined =>
      open({ metadata: { 'llama.attention.sliding_window': size } }).hyperParameters.slidingWindow;
    expect([window(64), window(128), window(0)]).toEqual([64, undefined, undefined]);
  });

  it.each<[string, Record<string, MetadataValue>, object]>([
    ['linear', { 'scaling.type': 'linear', 'scaling.factor': 2.5 }, { type: 'linear', factor: 2.5 }],
    ['linear by its old key', { scale_linear: 4.5 }, { type: 'linear', factor: 4.5 }],
    ['linear without a type', { 'scaling.factor': 2.5 }, { type: 'linear', factor: 2.5 }],
    ['a factor that is switched off', { 'scaling.type': 'none', 'scaling.factor': 2.5 }, { type: 'none' }],
    [
      'yarn with defaults',
      { 'scaling.type': 'yarn', 'scaling.factor': 4.5 },
      { type: 'yarn', factor: 4.5, originalContextLength: 128, betaFast: 32, betaSlow: 1 },
    ],
    [
      'yarn in full',
      {
        'scaling.type': 'yarn',
        'scaling.factor': { type: 'float32', value: 4 },
        'scaling.original_context_length': 32,
        'scaling.yarn_beta_fast': { type: 'float32', value: 16 },
        'scaling.yarn_beta_slow': { type: 'float32', value: 2 },
        'scaling.attn_factor': 0.5,
      },
      {
        type: 'yarn',
        factor: 4,
        originalContextLength: 32,
        betaFast: 16,
        betaSlow: 2,
        attentionFactor: 0.5 * (0.1 * Math.log(4) + 1),
      },
    ],
  ])('reads rope scaling: %s', (_, keys, expected) => {
    const metadata = Object.fromEntries(Object.entries(keys).map(([key, value]) => [`llama.rope.${key}`, value]));
    expect(open({ metadata }).hyperParameters.rope.scaling).toEqual(expected);
  });

  it('reads rotary factors from their tensor', () => {
    const factors = new Float32Array([1, 2, 4, 8]);
    const editTensors = (tensors: TensorSpec[]): TensorSpec[] => [
      ...tensors,
      { name: 'rope_freqs.weight', shape: [4], data: new Uint8Array(factors.buffer) },
    ];
    expect(open({ editTensors }).hyperParameters.rope.scaling).toEqual({
      type: 'factors',
      factors: [1, 2, 4, 8],
      attentionFactor: 1,
    });
    const metadata = { 'llama.rope.scaling.factor': 0.5 };
    expect(open({ editTensors, metadata }).hyperParameters.rope.scaling).toMatchObject({ factors: [0.5, 1, 2, 4] });
    factors[2] = 0;
    expect(errorOf({ editTensors })).toMatchObject({ code: 'FILE_INVALID', parameters: { reason: 'rotary factor 2 is 0' } });
  });

  it.each<[string, ModelSpec, string, RegExp]>([
    [
      'another architecture',
      { metadata: { 'general.architecture': 'gpt2' } },
      'ARCHITECTURE_UNSUPPORTED',
      /"gpt2".*llama, qwen2, qwen3/,
    ],
    ['no architecture', { metadata: { 'general.architecture': undefined } }, 'ARCHITECTURE_UNSUPPORTED', /"unknown"/],
    ['a missing key', { metadata: { 'llama.block_count': undefined } }, 'FILE_INVALID', /"llama.block_count" is missing/],
    ['an absurd layer count', { metadata: { 'llama.block_count': 4_000_000 } }, 'FILE_INVALID', /impossible value 4000000/],
    ['no heads', { metadata: { 'llama.attention.head_count': 0 } }, 'FILE_INVALID', /head_count" has the impossible value 0/],
    [
      'heads that do not divide',
      { metadata: { 'llama.attention.head_count_kv': 3 } },
      'FILE_INVALID',
      /which does not divide 4 heads/,
    ],
    ['an odd head size', { metadata: { 'llama.attention.key_length': 7 } }, 'FILE_INVALID', /impossible head size 7/],
    ['other value heads', { metadata: { 'llama.attention.value_length': 4 } }, 'FORMAT_UNSUPPORTED', /keys of 8 and values of 4/],
    ['a rotary size beyond the head', { metadata: { 'llama.rope.dimension_count': 10 } }, 'FILE_INVALID', /is 10, impossible/],
    ['a negative theta', { metadata: { 'llama.rope.freq_base': -1 } }, 'FILE_INVALID', /freq_base" has the impossible value -1/],
    ['long rope', { metadata: { 'llama.rope.scaling.type': 'longrope' } }, 'FORMAT_UNSUPPORTED', /"longrope" is not supported/],
    ['experts', { metadata: { 'llama.expert_count': 8 } }, 'FORMAT_UNSUPPORTED', /mixture of experts \(8 experts\)/],
    ['a shard', { metadata: { 'split.count': 3 } }, 'FORMAT_UNSUPPORTED', /one of 3 shards/],
    [
      'a vocabulary of another size',
      { metadata: { 'tokenizer.ggml.tokens': array('string', ['a']) } },
      'FILE_INVALID',
      /has 1 tokens, but the embedding has 8 rows/,
    ],
  ])('refuses %s', (_, spec, code, message) => {
    const error = errorOf(spec);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });
});

describe('GgufTensorSource tensors', () => {
  it('gives canonical names and shapes', () => {
    const tensors = open({ architecture: 'qwen2', numLayers: 1, hasBiases: true, isTied: false }).tensors;
    expect(Object.fromEntries([...tensors].map(([name, info]) => [name, info.shape]))).toEqual({
      'model.embed_tokens.weight': [8, 32],
      'model.norm.weight': [32],
      'lm_head.weight': [8, 32],
      'model.layers.0.input_layernorm.weight': [32],
      'model.layers.0.post_attention_layernorm.weight': [32],
      'model.layers.0.self_attn.q_proj.weight': [32, 32],
      'model.layers.0.self_attn.q_proj.bias': [32],
      'model.layers.0.self_attn.k_proj.weight': [16, 32],
      'model.layers.0.self_attn.k_proj.bias': [16],
      'model.layers.0.self_attn.v_proj.weight': [16, 32],
      'model.layers.0.self_attn.v_proj.bias': [16],
      'model.layers.0.self_attn.o_proj.weight': [32, 32],
      'model.layers.0.mlp.gate_proj.weight': [64, 32],
      'model.layers.0.mlp.up_proj.weight': [64, 32],
      'model.layers.0.mlp.down_proj.weight': [32, 64],
    });
  });

  it('has head norms in qwen3 and no head in a tied model', () => {
    const { tensors } = open({ architecture: 'qwen3', headSize: 16 });
    expect(tensors.get('model.layers.1.self_attn.q_norm.weight')?.shape).toEqual([16]);
    expect(tensors.get('model.layers.1.self_attn.k_norm.weight')?.shape).toEqual([16]);
    expect(tensors.has('lm_head.weight')).toBe(false);
  });

  it.each(['F32', 'F16', 'Q8_0', 'Q4_0', 'Q4_1'] as const)('reads %s rows as the file has them', (type) => {
    const spec: ModelSpec = { type };
    const source = open(spec);
    const name = 'model.layers.1.mlp.down_proj.weight';
    const stored = storedData(spec, 'blk.1.ffn_down.weight');
    const rowBytes = stored.length / 32;
    expect(source.tensors.get(name)?.type).toBe(type);
    expect(Buffer.from(source.readRows(name, 5, 3))).toEqual(stored.subarray(5 * rowBytes, 8 * rowBytes));
    expect(Buffer.from(source.readRows(name, 0, 32))).toEqual(stored);
  });

  it('puts the query and key rows of the Llama family into half-split order, biases included', () => {
    const spec: ModelSpec = { type: 'Q4_0', hasBiases: true };
    const source = open(spec);
    for (const [letter, ggufName] of [['q', 'attn_q'] as const, ['k', 'attn_k'] as const]) {
      for (const [part, numRows] of [
        ['weight', letter === 'q' ? 32 : 16] as const,
        ['bias', letter === 'q' ? 32 : 16] as const,
      ]) {
        const stored = storedData(spec, `blk.0.${ggufName}.${part}`);
        const rowBytes = stored.length / numRows;
        const expected = Buffer.concat(
          Array.from({ length: numRows }, (_, row) => {
            const from = storedRow({ headSize: 8, rotarySize: 8 }, row) * rowBytes;
            return stored.subarray(from, from + rowBytes);
          }),
        );
        const numUnits = part === 'bias' ? 1 : numRows;
        expect(Buffer.from(source.readRows(`model.layers.0.self_attn.${letter}_proj.${part}`, 0, numUnits))).toEqual(expected);
        expect(expected.equals(stored)).toBe(false);
      }
    }
    const values = storedData(spec, 'blk.0.attn_v.bias');
    expect(Buffer.from(source.readRows('model.layers.0.self_attn.v_proj.bias', 0, 1))).toEqual(values);
  });

  it('leaves the rows of other families alone', () => {
    const spec: ModelSpec = { architecture: 'qwen2', hasBiases: true };
    const source = open(spec);
    expect(Buffer.from(source.readRows('model.layers.0.self_attn.q_proj.weight', 0, 32))).toEqual(
      storedData(spec, 'blk.0.attn_q.weight'),
    );
    expect(Buffer.from(source.readRows('model.layers.0.self_attn.k_proj.bias', 0, 1))).toEqual(
      storedData(spec, 'blk.0.attn_k.bias'),
    );
  });

  it('refuses rows that a tensor does not have', () => {
    const source = open();
    expect(() => source.readRows('model.norm.weight', 0, 2)).toThrow(/no rows 0 to 2 of tensor "model.norm.weight"/);
    expect(() => source.readRows('model.embed_tokens.weight', 7, 2)).toThrow(/no rows 7 to 9/);
    expect(() => source.readRows('absent', 0, 1)).toThrow(/no rows 0 to 1 of tensor "absent"/);
  });

  it('decodes the tokenizer once, and the chat template when there is one', () => {
    const source = open({ metadata: { 'tokenizer.chat_template': '{{ x }}' } });
    expect(source.tokenizer.tokens).toHaveLength(8);
    expect(source.tokenizer).toBe(source.tokenizer);
    expect(source.chatTemplate).toBe('{{ x }}');
    expect(open().chatTemplate).toBeUndefined();
  });

  it('lists all that is missing or misshapen in one error', () => {
    const editTensors = (tensors: TensorSpec[]): TensorSpec[] =>
      tensors
        .filter(({ name }) => name !== 'blk.0.attn_k.weight' && name !== 'output_norm.weight')
        .map((tensor) => (tensor.name === 'blk.1.ffn_up.weight' ? { name: tensor.name, shape: [64, 32] } : tensor));
    expect(errorOf({ editTensors })).toMatchObject({
      code: 'FILE_INVALID',
      parameters: {
        reason:
          'tensors: "output_norm.weight" is missing; "blk.0.attn_k.weight" is missing; "blk.1.ffn_up.weight" has shape [64, 32], not [32, 64]',
      },
    });
    expect(errorOf({ editTensors: (tensors) => tensors.slice(0, 2) }).message).toMatch(/; and 10 more$/);
  });

  it('names a tensor type that is not read yet', () => {
    const editTensors = (tensors: TensorSpec[]): TensorSpec[] =>
      tensors.map((tensor) =>
        tensor.name === 'blk.0.attn_v.weight' ? { name: tensor.name, shape: tensor.shape, type: 'Q8_1' } : tensor,
      );
    expect(errorOf({ editTensors })).toMatchObject({
      code: 'FORMAT_UNSUPPORTED',
      parameters: {
        reason:
          'tensor "blk.0.attn_v.weight" has type Q8_1; supported types: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS, MXFP4',
      },
    });
  });

  it('names tensors that it would have to leave out', () => {
    const editTensors = (tensors: TensorSpec[]): TensorSpec[] => [...tensors, { name: 'blk.0.ffn_up.bias', shape: [64] }];
    expect(errorOf({ editTensors }).message).toMatch(/tensors that the model family does not have: blk.0.ffn_up.bias$/);
  });
});
