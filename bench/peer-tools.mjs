// llama.cpp's llama-batched-bench and the read-bandwidth meter; scripts/build-peer.mjs builds both.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { peerFolder } from './folders.mjs';

/** llama.cpp rounds the context of one sequence up to this. */
const contextStep = 256;

const bandwidthMegabytes = 1000;
const bandwidthPasses = 5;

/**
 * One llama-batched-bench that is stopped (SIGSTOP) between its results, so that its figures and ours can be taken within a
 * second of each other and the file is loaded once. The tool prints a result and begins the next prompt at once; the signal
 * arrives while that prompt runs, whose time does not count: decode is timed after the prompt, and a prompt that is to be timed
 * comes behind a short one that is not.
 */
export class PeerRun {
  #child;
  #wanted = [];
  #waiting;
  #failure;
  #errorOutput = '';
  #numLines = 0;
  #numWarmUp;
  #isWanted;

  /**
   * Nothing runs before `ready` or `next`. The tool runs every prompt length with every number of sequences, in the order of the lists, prompt lengths outermost,
   * each then decoding `decodeTokens` together. The first `numWarmUp` results are skipped, and those of which `isWanted`
   * returns false. `sharesPrompt`: one prompt is run and its keys and values are copied to all sequences, which then read
   * their own.
   */
  constructor({ modelFile, numThreads }, shape) {
    const { promptTokens, numSequences, decodeTokens, flash, numWarmUp = 0, isWanted = () => true, sharesPrompt } = shape;
    this.#numWarmUp = numWarmUp;
    this.#isWanted = isWanted;
    // After a shared prompt one token more is run.
    const context = Math.ceil((Math.max(...promptTokens) + decodeTokens + 1) / contextStep) * contextStep;
    const args = ['-m', modelFile, '-t', numThreads, '-tb', numThreads, '-c', Math.max(...numSequences) * context];
    args.push('-ctk', 'f16', '-ctv', 'f16', '-fa', flash, '--output-format', 'jsonl', ...(sharesPrompt ? ['-pps'] : []));
    args.push('-npp', promptTokens.join(','), '-ntg', decodeTokens, '-npl', numSequences.join(','));
    this.#child = spawn(path.join(peerFolder, 'llama-batched-bench'), args.map(String), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.kill('SIGSTOP');
    // A stopped process would outlive this one.
    process.once('exit', this.#kill);
    this.#child.stderr.on('data', (bytes) => (this.#errorOutput = (this.#errorOutput + bytes).slice(-2000)));
    this.#child.once('error', (error) => this.#fail(error.message));
    this.#child.once('close', (code, signal) => this.#fail(`it ended with ${signal ?? `exit status ${code}`}`));
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#receive(line));
  }

  /** Settles when the file is loaded and the results to be skipped are there. */
  async ready() {
    if (this.#numWarmUp > 0) {
      this.#child.kill('SIGCONT');
      await this.#until(() => this.#numLines >= this.#numWarmUp);
    }
  }

  /** Lets the tool run to its next result: tokens per second of the prompt (`prefill`) and of all sequences (`decode`). */
  async next() {
    if (this.#wanted.length === 0) {
      this.#child.kill('SIGCONT');
      await this.#until(() => this.#wanted.length > 0);
    }
    return this.#wanted.shift();
  }

  [Symbol.dispose]() {
    process.removeListener('exit', this.#kill);
    this.#kill();
  }

  #kill = () => this.#child.kill('SIGKILL');

  #receive(line) {
    if (!line.startsWith('{')) {
      return;
    }
    const result = JSON.parse(line);
    const isWanted = this.#numLines >= this.#numWarmUp && this.#isWanted(result);
    this.#numLines += 1;
    if (isWanted) {
      this.#wanted.push({ prefill: result.speed_pp, decode: result.speed_tg });
    }
    if (isWanted || this.#numLines === this.#numWarmUp) {
      this.#child.kill('SIGSTOP');
    }
    this.#waiting?.();
  }

  #fail(reason) {
    this.#failure = new Error(`llama-batched-bench: ${reason}\n${this.#errorOutput.trim().split('\n').slice(-5).join('\n')}`);
    this.#waiting?.();
  }

  async #until(isReached) {
    while (!isReached()) {
      if (this.#failure) {
        throw this.#failure;
      }
      await new Promise((resolve) => (this.#waiting = resolve));
    }
  }
}

/** Bytes a second that `numThreads` threads read from memory. */
export async function readBandwidth({ numThreads }) {
  const args = [numThreads, bandwidthMegabytes, bandwidthPasses].map(String);
  const { stdout } = await promisify(execFile)(path.join(peerFolder, 'read-bandwidth'), args);
  return Number.parseFloat(stdout) * 1e9;
}

export function hasPeer() {
  return ['llama-batched-bench', 'read-bandwidth'].every((tool) => existsSync(path.join(peerFolder, tool)));
}
