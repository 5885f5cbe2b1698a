import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { smolLm2Path, smolLm2Title } from '../../../test/fixtures/test-models.js';
import { dequantiseRows } from '../../quant/index.js';
import { describeGguf } from './describe.js';
import { GgufFile } from './gguf-file.js';
import { openGguf, type GgufTensorSource } from './gguf-tensor-source.js';

interface Reference {
  readonly tensors: Record<string, { columns: number[]; rows: Record<string, number[]> }>;
  readonly tokens: Record<string, string>;
  readonly merges: Record<string, string>;
}

// Written by test/fixtures/smollm2_rows.py with the reference `gguf` package; the version is in the file.
const fixture = new URL('../../../test/fixtures/smollm2-rows.json', import.meta.url);
const path = smolLm2Path() ?? '';

function open(): GgufTensorSource {
  const source = openGguf(path);
  onTestFinished(() => source.close());
  return source;
}

describe.skipIf(path === '')(smolLm2Title('GGUF reader on SmolLM2-135M-Instruct'), () => {
  const reference = JSON.parse(readFileSync(fixture, 'utf8')) as Reference;

  it('reads the hyper-parameters', () => {
    expect(open().hyperParameters).toEqual({
      architecture: 'llama',
      hiddenSize: 576,
      intermediateSize: 1536,
      numLayers: 30,
      numHeads: 9,
      numKvHeads: 3,
      headSize: 64,
      vocabSize: 49_152,
      contextLength: 8192,
      rmsNormEpsilon: 1e-5,
      rope: { theta: 100_000, rotarySize: 64, scaling: { type: 'none' } },
    });
  });

  it('describes the file', () => {
    const file = GgufFile.open(path);
    onTestFinished(() => file.close());
    expect(describeGguf(file)).toEqual({
      architecture: 'llama',
      parameterCount: 134_515_008,
      fileTypeName: 'Q4_1',
      contextLength: 8192,
      embeddingLength: 576,
    });
  });

  it('has every tensor of the family, the head being tied', () => {
    const { tensors } = open();
    expect(tensors.size).toBe(272);
    expect(tensors.get('model.embed_tokens.weight')).toMatchObject({ shape: [49_152, 576], type: 'Q8_0' });
    expect(tensors.get('model.layers.29.self_attn.k_proj.weight')).toMatchObject({ shape: [192, 576], type: 'Q4_1' });
    expect(tensors.has('lm_head.weight')).toBe(false);
  });

  it.each(Object.keys(reference.tensors))('reads %s like the reference package, in Hugging Face order', (name) => {
    const source = open();
    const info = source.tensors.get(name);
    const expected = reference.tensors[name];
    for (const [row, values] of Object.entries(expected?.rows ?? {})) {
      const read = dequantiseRows(info?.type ?? 'F32', source.readRows(name, Number(row), 1), info?.shape[1] ?? 0);
      expect(expected?.columns.map((column) => read[column])).toEqual(values);
    }
    expect.assertions(Object.keys(expected?.rows ?? {}).length);
  });

  it('reads the tokenizer', () => {
    const { tokenizer, chatTemplate } = open();
    expect(tokenizer).toMatchObject({ kind: 'bpe', preTokenizer: 'smollm', bosId: 1, eosId: 2, unknownId: 0, paddingId: 2 });
    expect(tokenizer).toMatchObject({ addBos: false, addEos: false, addSpacePrefix: false });
    // By key: <|im_end|>; by text: <|endoftext|> and <reponame>. llama.cpp ends on the same three.
    expect(tokenizer.endIds).toEqual([2, 0, 4]);
    expect(tokenizer.tokens).toHaveLength(49_152);
    expect(tokenizer.merges).toHaveLength(48_900);
    for (const [id, text] of Object.entries(reference.tokens)) {
      expect(tokenizer.tokens[Number(id)]).toBe(text);
    }
    for (const [rank, pair] of Object.entries(reference.merges)) {
      expect(tokenizer.merges?.[Number(rank)]).toBe(pair);
    }
    expect(chatTemplate).toContain('<|im_start|>');
  });
});
