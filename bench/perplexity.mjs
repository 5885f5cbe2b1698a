// `npm run bench:perplexity [-- model.gguf text]`: perplexity of a file as TARS serves it and as llama.cpp's llama-perplexity
// gives it, by that tool's own measure: windows of 512 tokens without overlap, of each the second half scored. One line for each
// type of the KV cache. Needs scripts/build-peer.mjs once; without arguments, SmolLM2 too (scripts/fetch-test-models.mjs).
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelRunner } from '../dist/engine/index.js';
import { Environment } from '../dist/runtime/index.js';
import { createTokenizer } from '../dist/tokenizer/index.js';
import { preparePackage } from './engine-process.mjs';
import { createSession, engineSettings, openPackage } from './engine-runs.mjs';
import { cacheFolder, peerFolder, tokenizerFile } from './folders.mjs';

const window = 512;
const blockSize = 32;
const cacheTypes = { f16: 'float16', q8_0: 'q8_0', q4_0: 'q4_0' };
const numThreads = os.availableParallelism();

const [modelFile = tokenizerFile, textFile = fileURLToPath(new URL('../test/model/text/english.txt', import.meta.url))] =
  process.argv.slice(2);

/** -log softmax(row)[id], in double precision. */
function negativeLogLikelihood(row, id) {
  let largest = -Infinity;
  for (const value of row) {
    largest = Math.max(largest, value);
  }
  let total = 0;
  for (const value of row) {
    total += Math.exp(value - largest);
  }
  return Math.log(total) + largest - row[id];
}

async function ourPerplexity(settings, cacheType) {
  const tarsPackage = openPackage(settings);
  const { numLayers, numKvHeads, headSize, vocabSize } = tarsPackage.metadata.hyperParameters;
  const tokenizer = createTokenizer(tarsPackage.metadata.tokenizer);
  const ids = tokenizer.encode(readFileSync(textFile, 'utf8'), { addBos: true, parseSpecial: true });
  const [first] = tokenizer.encode('', { addBos: true, parseSpecial: true });
  const numBlocks = window / blockSize;
  const environment = new Environment();
  const session = await createSession(environment, tarsPackage, { ...settings, contextLength: window, cacheType });
  const runner = new ModelRunner(
    environment,
    session,
    { numLayers, numBlocks, blockSize, numKvHeads, headSize, type: cacheType },
    { maxTokens: window, maxSequences: 1, maxLogits: window, maxSequenceBlocks: numBlocks, vocabSize },
  );
  let total = 0;
  let scored = 0;
  for (let start = 0; start + window <= ids.length; start += window) {
    const wanted = ids.slice(start, start + window);
    // Every window begins as a text does.
    const tokens = first === undefined ? wanted : [first, ...wanted.slice(1)];
    const sequence = { tokens, numComputed: 0, blocks: Array.from({ length: numBlocks }, (_, block) => block) };
    const rows = await runner.run([{ sequence, numTokens: window, numLogits: window }]);
    for (let position = window / 2; position + 1 < window; position++) {
      total += negativeLogLikelihood(rows[position], wanted[position + 1]);
      scored += 1;
    }
  }
  runner[Symbol.dispose]();
  session[Symbol.dispose]();
  environment[Symbol.dispose]();
  return { perplexity: Math.exp(total / scored), scored };
}

function peerPerplexity(cacheType) {
  const args = ['-m', modelFile, '-f', textFile, '-c', window, '-b', window, '-t', numThreads];
  const cache = ['-ctk', cacheType, '-ctv', cacheType, '-fa', cacheType === 'f16' ? 'auto' : 'on'];
  const { stdout, stderr, status, error } = spawnSync(
    path.join(peerFolder, 'llama-perplexity'),
    [...args, ...cache].map(String),
    {
      encoding: 'utf8',
    },
  );
  // The estimate is a log message.
  const output = `${stdout}${stderr}`;
  const found = /Final estimate: PPL = ([\d.]+)/.exec(output);
  if (found === null) {
    throw new Error(`llama-perplexity gave no estimate (${error?.message ?? `exit status ${status}`}):\n${output.slice(-500)}`);
  }
  return Number(found[1]);
}

const settings = engineSettings({ modelFile, cacheFolder, numThreads });
await preparePackage(settings);
console.log(`${path.basename(modelFile)}, ${path.basename(textFile)}, windows of ${window}, second halves`);
for (const [name, type] of Object.entries(cacheTypes)) {
  const { perplexity, scored } = await ourPerplexity(settings, type);
  const theirs = peerPerplexity(name);
  const difference = ((perplexity / theirs - 1) * 100).toFixed(2);
  console.log(`${name} cache: TARS ${perplexity.toFixed(4)}, llama.cpp ${theirs.toFixed(4)} (${difference} %), ${scored} tokens`);
}
