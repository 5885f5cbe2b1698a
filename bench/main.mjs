// `npm run bench`: makes its own model file and prints one table. See docs/benchmarks/README.md.
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchEngine } from './engine.mjs';
import { describeEnvironment } from './environment.mjs';
import { cacheFolder, tokenizerFile } from './folders.mjs';
import { ensureRandomModel } from './random-model.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

console.log(describeEnvironment(root));
const modelFile = ensureRandomModel(cacheFolder, tokenizerFile);
console.log('model       random-weight Llama, 1.2 B shape, Q4_0 with Q8_0 table, tokenizer of SmolLM2 padded to 128,256\n');
const rows = await benchEngine({ modelFile, cacheFolder, numThreads: os.availableParallelism() });
const width = Math.max(...rows.map(([name]) => name.length));
rows.forEach(([name, figure]) => console.log(`${name.padEnd(width)}  ${figure}`));
