import { describe, expect, it, onTestFinished } from 'vitest';
import { array, buildGguf, type GgufSpec } from '../../../test/fixtures/build-gguf.js';
import { temporaryFile } from '../../../test/fixtures/temporary-file.js';
import { describeGguf, ggufModelInfo } from './describe.js';
import { GgufFile } from './gguf-file.js';

function open(spec: GgufSpec): GgufFile {
  const file = GgufFile.open(temporaryFile(buildGguf(spec)));
  onTestFinished(() => file.close());
  return file;
}

describe('describeGguf', () => {
  it('describes a file of any architecture', () => {
    const file = open({
      metadata: {
        'general.architecture': 'mamba',
        'general.file_type': 15,
        'mamba.context_length': 4096,
        'mamba.embedding_length': 256,
      },
      tensors: [
        { name: 'a', shape: [256, 3], type: 'Q4_K' },
        { name: 'b', shape: [5] },
      ],
    });
    expect(describeGguf(file)).toEqual({
      architecture: 'mamba',
      parameterCount: 773,
      fileTypeName: 'Q4_K_M',
      contextLength: 4096,
      embeddingLength: 256,
    });
  });

  it('says unknown where a file says nothing', () => {
    expect(describeGguf(open({}))).toEqual({ architecture: 'unknown', parameterCount: 0, fileTypeName: 'unknown' });
    expect(describeGguf(open({ metadata: { 'general.file_type': 999 } })).fileTypeName).toBe('unknown');
  });
});

describe('ggufModelInfo', () => {
  const file = (): GgufFile =>
    open({
      metadata: {
        'general.name': 'hidden',
        'tokenizer.chat_template': 'hidden',
        'llama.attention.layer_norm_rms_epsilon': { type: 'float32', value: 1e-5 },
        count: { type: 'uint64', value: 2n ** 60n },
        tokens: array('string', ['a', 'b']),
        empty: array('string', []),
        scores: array('float32', [0.1, -2]),
      },
    });

  it('gives scalars as JSON and arrays as null', () => {
    expect(ggufModelInfo(file())).toEqual({
      'llama.attention.layer_norm_rms_epsilon': 0.00001,
      count: 2 ** 60,
      tokens: null,
      empty: [],
      scores: null,
      'general.parameter_count': 0,
    });
  });

  it('gives arrays in full when verbose', () => {
    expect(ggufModelInfo(file(), { verbose: true })).toMatchObject({ tokens: ['a', 'b'], scores: [0.1, -2] });
  });

  it('takes "__proto__" for an ordinary key', () => {
    const bytes = buildGguf({ metadata: { '@@proto@@': 'x' } });
    bytes.write('__proto__', bytes.indexOf('@@proto@@'));
    const hostile = GgufFile.open(temporaryFile(bytes));
    onTestFinished(() => hostile.close());
    expect(Object.keys(ggufModelInfo(hostile))).toEqual(['__proto__', 'general.parameter_count']);
  });
});
