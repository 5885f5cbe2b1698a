// A real model: SmolLM2-135M-Instruct against Hugging Face transformers on its dequantised weights (test/fixtures/truth).
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openGguf } from '../../src/formats/index.js';
import { createTokenizer } from '../../src/tokenizer/index.js';
import { smolLm2Path, smolLm2Title } from '../fixtures/test-models.js';
import { GraphHarness, blockSize, type StepPart } from './graph-harness.js';

interface SmolLm2Truth {
  readonly text: {
    readonly window: number;
    readonly scored_tokens: number;
    readonly perplexity: number;
    readonly ids: readonly number[];
    /** Most likely next id at each position. */
    readonly top1: readonly number[];
  };
  readonly continuations: {
    readonly prompts: readonly { prompt: string; prompt_ids: readonly number[]; continuation_ids: readonly number[] }[];
  };
}

const fixtures = path.resolve(import.meta.dirname, '..', 'fixtures', 'truth');
const truth = JSON.parse(readFileSync(path.join(fixtures, 'smollm2.json'), 'utf8')) as SmolLm2Truth;
const file = smolLm2Path() ?? '';

const timeoutMs = 300_000;

function argmax(row: Float32Array): number {
  let best = 0;
  for (let id = 1; id < row.length; id++) {
    best = (row[id] ?? -Infinity) > (row[best] ?? -Infinity) ? id : best;
  }
  return best;
}

/** -log softmax(row)[id], in double precision. */
function negativeLogLikelihood(row: Float32Array, id: number): number {
  const largest = row.reduce((best, value) => Math.max(best, value), -Infinity);
  const total = row.reduce((sum, value) => sum + Math.exp(value - largest), 0);
  return Math.log(total) + largest - (row[id] ?? NaN);
}

function blocks(first: number, numTokens: number): number[] {
  return Array.from({ length: Math.ceil(numTokens / blockSize) }, (_, index) => first + index);
}

describe.skipIf(file === '')(smolLm2Title('SmolLM2'), () => {
  it('tokenises the text and the prompts as its own tokenizer does', () => {
    const source = openGguf(file);
    const tokenizer = createTokenizer(source.tokenizer);
    source.close();
    const text = readFileSync(path.resolve(import.meta.dirname, 'text', 'english.txt'), 'utf8');
    expect(tokenizer.encode(text)).toEqual(truth.text.ids);
    for (const { prompt, prompt_ids: ids } of truth.continuations.prompts) {
      expect(tokenizer.encode(prompt)).toEqual(ids);
    }
  });

  it.each([
    { cacheType: 'float16', perplexityShare: 0.005, agreementShare: 0.98 },
    { cacheType: 'q8_0', perplexityShare: 0.005, agreementShare: 0.98 },
    { cacheType: 'q4_0', perplexityShare: 0.12, agreementShare: 0.8 },
  ] as const)(
    'has the perplexity of the dequantised weights and agrees on the most likely tokens, as served: $cacheType cache within $perplexityShare and $agreementShare',
    async ({ cacheType, perplexityShare, agreementShare }) => {
      await using harness = await GraphHarness.open(file, 'exact', cacheType);
      const { ids, window, top1 } = truth.text;
      let total = 0;
      let scored = 0;
      let agreed = 0;
      for (let start = 0; start < ids.length; start += window) {
        const tokens = ids.slice(start, start + window);
        const rows = harness.step([{ tokens, past: 0, blocks: blocks(0, tokens.length) }]);
        rows.forEach((row, index) => {
          agreed += argmax(row) === top1[start + index] ? 1 : 0;
          const next = tokens[index + 1];
          if (next !== undefined) {
            total += negativeLogLikelihood(row, next);
            scored += 1;
          }
        });
      }
      const perplexity = Math.exp(total / scored);
      const agreement = agreed / ids.length;
      console.log(
        `perplexity ${perplexity.toFixed(4)} (transformers ${truth.text.perplexity.toFixed(4)}), top-1 agreement ${agreement.toFixed(4)}`,
      );
      expect(scored).toBe(truth.text.scored_tokens);
      expect(Math.abs(perplexity / truth.text.perplexity - 1)).toBeLessThan(perplexityShare);
      expect(agreement).toBeGreaterThanOrEqual(agreementShare);
    },
    timeoutMs,
  );

  it(
    'continues 20 prompts greedily in f32 with the same 48 tokens, all in one ragged batch',
    async () => {
      await using harness = await GraphHarness.open(file, 'f32');
      const sequences = truth.continuations.prompts.map(({ prompt_ids: promptIds, continuation_ids: expected }, index) => ({
        pending: [...promptIds],
        past: 0,
        blocks: blocks(index * 12, promptIds.length + expected.length),
        generated: [] as number[],
        expected,
      }));
      expect(sequences).toHaveLength(20);
      for (let step = 0; step < 48; step++) {
        const parts: StepPart[] = sequences.map(({ pending, past, blocks: own }) => ({ tokens: pending, past, blocks: own }));
        const rows = harness.step(parts);
        for (const sequence of sequences) {
          const row = rows.splice(0, sequence.pending.length).at(-1);
          const id = row === undefined ? -1 : argmax(row);
          sequence.past += sequence.pending.length;
          sequence.pending = [id];
          sequence.generated.push(id);
        }
      }
      for (const { generated, expected } of sequences) {
        expect(generated).toEqual(expected);
      }
    },
    timeoutMs,
  );
});
