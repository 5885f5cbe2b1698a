// Where the benches keep what takes long to make: model files, packages, the peer's binaries.
import os from 'node:os';
import path from 'node:path';

export const cacheFolder = process.env.TARS_BENCH_CACHE || path.join(os.homedir(), '.cache', 'tars-bench');

/** llama.cpp's tools, built by scripts/build-peer.mjs. */
export const peerFolder = path.join(cacheFolder, 'llama.cpp');

/** A GGUF with the byte-level BPE vocabulary that the random-weight models take over. */
export const tokenizerFile =
  process.env.TARS_BENCH_TOKENIZER ||
  path.join(
    process.env.TARS_TEST_MODELS || path.join(os.homedir(), '.cache', 'tars-test-models'),
    'SmolLM2-135M-Instruct.Q4_1.gguf',
  );
