// Decides what the next step runs: admits sequences, gives them cache blocks, and preempts when blocks run out.
import type { BlockPool } from './block-pool.js';
import type { Sequence } from './sequence.js';
import { divideTokens, type TokenBudget } from './token-budget.js';

/** One sequence's part of a step: its next `numTokens` tokens, and for how many of the last of these logits are wanted. */
export interface StepEntry {
  readonly sequence: Sequence;
  readonly numTokens: number;
  readonly numLogits: number;
}

export type StepPlan = readonly StepEntry[];

export interface SchedulerLimits extends TokenBudget {
  readonly maxSequences: number;
  /** Token places of one cache block. */
  readonly blockSize: number;
  /** Most rows of logits in one step; at least one for each sequence. */
  readonly maxLogits: number;
}

export class Scheduler {
  readonly #pool: BlockPool;
  readonly #limits: SchedulerLimits;
  readonly #waiting: Sequence[] = [];
  readonly #running: Sequence[] = [];

  constructor(pool: BlockPool, limits: SchedulerLimits) {
    this.#pool = pool;
    this.#limits = limits;
  }

  get numRunning(): number {
    return this.#running.length;
  }

  get numWaiting(): number {
    return this.#waiting.length;
  }

  get isIdle(): boolean {
    return this.#running.length === 0 && this.#waiting.length === 0;
  }

  sequences(): Sequence[] {
    return [...this.#running, ...this.#waiting];
  }

  submit(sequence: Sequence): void {
    this.#waiting.push(sequence);
  }

  /** Removes a sequence and gives its blocks back. */
  finish(sequence: Sequence): void {
    this.#releaseBlocks(sequence);
    remove(this.#running, sequence);
    remove(this.#waiting, sequence);
  }

  /** The context of a running sequence changed (shifted): it starts again from its first token. */
  restart(sequence: Sequence): void {
    this.#releaseBlocks(sequence);
    sequence.numComputed = 0;
    remove(this.#running, sequence);
    this.#waiting.unshift(sequence);
  }

  plan(nowNs: bigint): StepPlan {
    this.#admit(nowNs);
    const shares = divideTokens(
      this.#running.map((sequence) => sequence.numPending),
      this.#limits,
    );
    // Every sequence may want the logits of one token; what is left goes to prompts that are scored.
    let spareLogits = this.#limits.maxLogits - this.#running.length;
    const candidates = this.#running.map((sequence, index) => {
      const share = shares[index] ?? 0;
      const numTokens = sequence.isScoring ? Math.min(share, spareLogits + 1) : share;
      spareLogits -= sequence.isScoring ? Math.max(0, numTokens - 1) : 0;
      return { sequence, numTokens };
    });
    const entries: StepEntry[] = [];
    for (const { sequence, numTokens } of candidates) {
      // A sequence may have been preempted in favour of an earlier one in this very loop.
      if (numTokens > 0 && this.#running.includes(sequence) && this.#reserve(sequence, numTokens)) {
        const numLogits = sequence.isScoring ? numTokens : numTokens === sequence.numPending ? 1 : 0;
        entries.push({ sequence, numTokens, numLogits });
      }
    }
    return entries.filter(({ sequence }) => this.#running.includes(sequence));
  }

  /** The step ran: its tokens are in the cache, and blocks that became full can be found by later prompts. */
  commit(plan: StepPlan): void {
    const { blockSize } = this.#limits;
    for (const { sequence, numTokens } of plan) {
      const firstNewBlock = Math.floor(sequence.numComputed / blockSize);
      sequence.numComputed += numTokens;
      const numFull = Math.floor(sequence.numComputed / blockSize);
      for (let index = firstNewBlock; index < numFull; index++) {
        this.#pool.publish(sequence.blocks[index] ?? 0, sequence.prefixKeyOf(index));
      }
    }
  }

  /** Admits waiting sequences in order while a place and blocks for their whole prompt and one more token are free. */
  #admit(nowNs: bigint): void {
    while (this.#running.length < this.#limits.maxSequences) {
      const sequence = this.#waiting[0];
      if (sequence === undefined) {
        return;
      }
      const reused = this.#reusePrefix(sequence);
      const missing = this.#blocksFor(sequence.tokens.length + 1) - reused.length;
      // The last block may not be needed when the context is just full: one sequence alone must always be admitted.
      const blocks = this.#pool.allocate(Math.min(missing, this.#running.length === 0 ? this.#pool.numFree : missing));
      if (blocks === undefined) {
        this.#pool.release(reused);
        return;
      }
      this.#waiting.shift();
      this.#running.push(sequence);
      sequence.blocks = [...reused, ...blocks];
      sequence.numComputed = reused.length * this.#limits.blockSize;
      if (sequence.admittedAtNs === 0n) {
        sequence.admittedAtNs = nowNs;
        sequence.numCachedTokens = sequence.numComputed;
      }
    }
  }

  /** Blocks of the longest cached prefix, leaving at least one token to run: its logits are what is sampled from. */
  #reusePrefix(sequence: Sequence): number[] {
    const maxBlocks =
      sequence.request.scoresPrompt === true ? 0 : Math.floor((sequence.tokens.length - 1) / this.#limits.blockSize);
    const blocks: number[] = [];
    while (blocks.length < maxBlocks) {
      const block = this.#pool.reuse(sequence.prefixKeyOf(blocks.length));
      if (block === undefined) {
        break;
      }
      blocks.push(block);
    }
    return blocks;
  }

  /** Makes room for the sequence's next tokens, preempting the youngest sequences when no block is free. */
  #reserve(sequence: Sequence, numTokens: number): boolean {
    const needed = this.#blocksFor(sequence.numComputed + numTokens) - sequence.blocks.length;
    if (needed <= 0) {
      return true;
    }
    let blocks = this.#pool.allocate(needed);
    while (blocks === undefined) {
      const youngest = this.#running.at(-1);
      if (youngest === undefined) {
        return false;
      }
      this.restart(youngest);
      if (youngest === sequence) {
        return false;
      }
      blocks = this.#pool.allocate(needed);
    }
    sequence.blocks.push(...blocks);
    return true;
  }

  #releaseBlocks(sequence: Sequence): void {
    this.#pool.release(sequence.blocks);
    sequence.blocks = [];
  }

  #blocksFor(numTokens: number): number {
    return Math.ceil(numTokens / this.#limits.blockSize);
  }
}

function remove(list: Sequence[], sequence: Sequence): void {
  const index = list.indexOf(sequence);
  if (index >= 0) {
    list.splice(index, 1);
  }
}
