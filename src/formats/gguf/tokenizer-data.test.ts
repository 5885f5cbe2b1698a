import { describe, expect, it, onTestFinished } from 'vitest';
import { array, buildGguf, type MetadataValue } from '../../../test/fixtures/build-gguf.js';
import { temporaryFile } from '../../../test/fixtures/temporary-file.js';
import type { TokenizerModel } from '../../tokenizer/index.js';
import { GgufFile } from './gguf-file.js';
import { readTokenizer } from './tokenizer-data.js';

/** Reads a tokenizer whose keys are given without their `tokenizer.ggml.` prefix. */
function read(keys: Record<string, MetadataValue>): TokenizerModel {
  const metadata = Object.fromEntries(Object.entries(keys).map(([key, value]) => [`tokenizer.ggml.${key}`, value]));
  const file = GgufFile.open(temporaryFile(buildGguf({ metadata })));
  onTestFinished(() => file.close());
  return readTokenizer(file);
}

function bpe(tokens: readonly string[], more: Record<string, MetadataValue> = {}): TokenizerModel {
  return read({ model: 'gpt2', tokens: array('string', tokens), merges: array('string', ['a b']), ...more });
}

function spm(more: Record<string, MetadataValue> = {}): TokenizerModel {
  return read({ model: 'llama', tokens: array('string', ['<unk>', '<s>', '</s>', '▁a']), ...more });
}

describe('readTokenizer', () => {
  it('reads a byte-level tokenizer', () => {
    const types = array('int32', [3, 1, 4]);
    const model = bpe(['<|end|>', 'a', 'b'], {
      pre: 'qwen2',
      token_type: types,
      bos_token_id: 1,
      eos_token_id: 0,
      padding_token_id: 2,
      unknown_token_id: 1,
      add_bos_token: true,
      add_eos_token: true,
    });
    expect(model).toEqual({
      kind: 'bpe',
      preTokenizer: 'qwen2',
      tokens: ['<|end|>', 'a', 'b'],
      tokenTypes: [3, 1, 4],
      merges: ['a b'],
      bosId: 1,
      eosId: 0,
      unknownId: 1,
      paddingId: 2,
      endIds: [0],
      addBos: true,
      addEos: true,
      addSpacePrefix: false,
    });
  });

  it('gives a SentencePiece tokenizer its conventional ids and prefixes', () => {
    const model = spm({ scores: array('float32', [0, 0, 0, -1.5]) });
    expect(model).toMatchObject({
      kind: 'spm',
      bosId: 1,
      eosId: 2,
      unknownId: 0,
      endIds: [2],
      addBos: true,
      addEos: false,
      addSpacePrefix: true,
      scores: [0, 0, 0, -1.5],
    });
    expect(model.merges).toBeUndefined();
    expect(spm({ add_bos_token: false, add_space_prefix: false })).toMatchObject({ addBos: false, addSpacePrefix: false });
  });

  it('begins texts with BOS by default only for pre-tokenizers that want it and when there is a BOS', () => {
    const addBos = (pre: string, more: Record<string, MetadataValue> = { bos_token_id: 0 }): boolean =>
      bpe(['x'], { pre, ...more }).addBos;
    expect(addBos('llama-bpe')).toBe(true);
    expect(addBos('llama-bpe', { bos_token_id: 0, add_bos_token: false })).toBe(false);
    expect(addBos('llama-bpe', {})).toBe(false);
    expect(addBos('qwen2')).toBe(false);
    expect(bpe(['x']).preTokenizer).toBe('default');
  });

  it('takes an id outside the vocabulary for a missing one', () => {
    const none = { type: 'int32', value: -1 } as const;
    const model = bpe(['x'], { bos_token_id: none, eos_token_id: 7, padding_token_id: 4_294_967_295 });
    expect(model).toMatchObject({ endIds: [] });
    expect(Object.keys(model)).not.toEqual(expect.arrayContaining(['bosId']));
    expect([model.bosId, model.eosId, model.paddingId]).toEqual([undefined, undefined, undefined]);
  });

  it('finds the ids that end a generation by key and by text', () => {
    const tokens = ['a', '<|im_end|>', '<|endoftext|>', '<custom>', '</s>', '<eos>'];
    const model = bpe(tokens, {
      token_type: array('int32', [1, 1, 3, 3, 1, 3]),
      eos_token_id: 2,
      eot_token_id: 3,
    });
    // "</s>" is ordinary text in this vocabulary; "<eos>" is a control token.
    expect(model.endIds).toEqual([2, 3, 1, 5]);
    // A wrong type is mended, so that the token is never printed.
    expect([...Array.from(model.tokenTypes)]).toEqual([1, 3, 3, 3, 1, 3]);
  });

  it('does not end a harmony turn at the end of a message', () => {
    const model = bpe(['<|end|>', '<|return|>', '<|call|>'], { token_type: array('int32', [3, 3, 3]) });
    expect(model.endIds).toEqual([1, 2]);
    expect(bpe(['<|end|>', '<|return|>'], { token_type: array('int32', [3, 3]) }).endIds).toEqual([0, 1]);
  });

  it('refuses what it cannot use', () => {
    expect(() => read({ model: 'bert' })).toThrow(/tokenizer "bert" is not supported; supported: gpt2, llama/);
    expect(() => read({})).toThrow(expect.objectContaining({ code: 'FORMAT_UNSUPPORTED' }));
    expect(() => read({ model: 'gpt2' })).toThrow(/"tokenizer.ggml.tokens" is missing/);
    expect(() => read({ model: 'gpt2', tokens: array('string', ['a']) })).toThrow(/"tokenizer.ggml.merges" is missing/);
    expect(() => bpe(['a'], { token_type: array('int32', [1, 1]) })).toThrow(/has 2 values for 1 tokens/);
    expect(() => bpe(['a'], { tokens: 'a' })).toThrow(/must be an array of strings/);
  });
});
