import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildModelGguf, seededRandom } from '../../../test/fixtures/build-gguf.js';
import { TarsError } from '../../errors/index.js';
import { describeGguf, ggufModelInfo } from './describe.js';
import { GgufFile } from './gguf-file.js';
import { GgufTensorSource } from './gguf-tensor-source.js';

const numMutations = 3000;

/** Everything that a server does with an uploaded file. */
function exercise(file: string): void {
  const gguf = GgufFile.open(file);
  try {
    describeGguf(gguf);
    ggufModelInfo(gguf, { verbose: true });
    const source = new GgufTensorSource(gguf);
    void source.tokenizer;
    void source.chatTemplate;
    for (const { name, shape } of source.tensors.values()) {
      source.readRows(name, 0, shape.length === 1 ? 1 : (shape[0] ?? 1));
    }
  } finally {
    gguf.close();
  }
}

function headerLength(file: string): number {
  const gguf = GgufFile.open(file);
  gguf.close();
  return gguf.tensors[0]?.offset ?? 0;
}

/** One to four byte changes, most of them in the header, or a cut, or both. */
function mutate(valid: Buffer, headerBytes: number, random: () => number): Buffer {
  const bytes = Buffer.from(valid);
  const numChanges = 1 + Math.floor(random() * 4);
  for (let i = 0; i < numChanges; i++) {
    const at = Math.floor(random() * (random() < 0.9 ? headerBytes : bytes.length));
    // Small values, extreme values and single flipped bits find different faults.
    const choices = [Math.floor(random() * 16), 0xff, (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))];
    bytes[at] = choices[Math.floor(random() * choices.length)] ?? 0;
  }
  return random() < 0.2 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
}

describe('GGUF reader under mutation', () => {
  it(`throws nothing but TarsError on ${numMutations} mutated files, within bounded memory`, () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tars-fuzz-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = path.join(folder, 'mutated.gguf');
    const sizes = { numLayers: 1, hiddenSize: 8, intermediateSize: 8, numHeads: 2, numKvHeads: 1 };
    const valid = buildModelGguf({ ...sizes, hasBiases: true, metadata: { 'tokenizer.chat_template': '{{ messages }}' } });
    writeFileSync(file, valid);
    exercise(file);
    const headerBytes = headerLength(file);

    // Rewriting one open file is ten times faster than creating each.
    const descriptor = openSync(file, 'r+');
    onTestFinished(() => closeSync(descriptor));
    const random = seededRandom(20_240_607);
    const outcomes = new Map<string, number>();
    const surprises: string[] = [];
    let peakBytes = 0;
    const startBytes = process.memoryUsage.rss();
    for (let i = 0; i < numMutations; i++) {
      const mutated = mutate(valid, headerBytes, random);
      ftruncateSync(descriptor, mutated.length);
      writeSync(descriptor, mutated, 0, mutated.length, 0);
      let outcome = 'accepted';
      try {
        exercise(file);
      } catch (error) {
        outcome = error instanceof TarsError ? error.code : 'surprise';
        if (outcome === 'surprise') {
          surprises.push(`mutation ${i}: ${String(error)}`);
        }
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      peakBytes = Math.max(peakBytes, process.memoryUsage.rss() - startBytes);
    }
    expect(surprises).toEqual([]);
    // Each kind of refusal was met, so the mutations reach all parts of the reader.
    for (const code of ['accepted', 'FILE_TRUNCATED', 'FILE_INVALID', 'FORMAT_UNSUPPORTED', 'ARCHITECTURE_UNSUPPORTED']) {
      expect(outcomes.get(code) ?? 0, code).toBeGreaterThan(5);
    }
    expect([...outcomes.keys()]).not.toContain('INTERNAL');
    expect(peakBytes).toBeLessThan(200e6);
  });
});
