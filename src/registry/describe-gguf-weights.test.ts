import { describe, expect, it } from 'vitest';
import { buildModelGguf } from '../../test/fixtures/build-gguf.js';
import { temporaryFile } from '../../test/fixtures/temporary-file.js';
import { describeGgufWeights } from './describe-gguf-weights.js';

describe('describeGgufWeights', () => {
  it('reads the facts of the config blob from a real file', async () => {
    const facts = await describeGgufWeights(temporaryFile(buildModelGguf()));
    expect(facts).toMatchObject({ format: 'gguf', family: 'llama' });
    expect(facts.parameterCount).toBeGreaterThan(0);
    expect(facts.contextLength).toBeGreaterThan(0);
  });

  it('refuses a file that is cut off', async () => {
    await expect(describeGgufWeights(temporaryFile(buildModelGguf().subarray(0, 100)))).rejects.toThrow('truncated');
  });
});
