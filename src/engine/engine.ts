// The engine's loop: plan → run → sample → commit, one ragged batch after another while there are sequences.
import { TarsError, errorMessage } from '../errors/index.js';
import type { BlockPool } from './block-pool.js';
import type { Scheduler, StepPlan } from './scheduler.js';
import { Sequence, type SequenceRequest, type StopReason, type TokenScores } from './sequence.js';

/** Runs one step and returns the rows of logits that its entries want; see ModelRunner. */
export interface StepRunner {
  run(plan: StepPlan): Promise<Float32Array[]>;
}

export interface EngineDependencies {
  readonly runner: StepRunner;
  readonly scheduler: Scheduler;
  readonly pool: BlockPool;
  readonly vocabSize: number;
  readonly blockSize: number;
  /** Longest sequence in tokens. */
  readonly contextLength: number;
  /** Monotonic clock in nanoseconds. */
  readonly nowNs: () => bigint;
  /** Called once after every step, while the next one already runs, for one message per step. */
  readonly onStep: (stats: EngineStats) => void;
}

export interface EngineStats {
  readonly numRunning: number;
  readonly numWaiting: number;
  readonly numFreeBlocks: number;
  readonly numBlocks: number;
  /** Tokens of the last step. */
  readonly stepTokens: number;
  readonly stepDurationNs: number;
}

export class Engine {
  readonly #dependencies: EngineDependencies;
  #nextId = 1;
  #loop: Promise<void> | undefined;
  #lastStep: EngineStats | undefined;

  constructor(dependencies: EngineDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Queues a sequence and returns its id. Throws CONTEXT_EXCEEDED when the prompt leaves no place for a token, and
   * BAD_REQUEST for an empty prompt or an id outside the vocabulary.
   */
  submit(request: SequenceRequest): number {
    const { vocabSize, blockSize, contextLength, scheduler, nowNs } = this.#dependencies;
    if (request.promptIds.length >= contextLength) {
      throw new TarsError('CONTEXT_EXCEEDED', { tokens: request.promptIds.length, context: contextLength });
    }
    const invalid = request.promptIds.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
    if (request.promptIds.length === 0 || invalid !== undefined) {
      const reason = invalid === undefined ? 'the prompt has no tokens' : `token id ${invalid} is not in 0…${vocabSize - 1}`;
      throw new TarsError('BAD_REQUEST', { reason });
    }
    const sequence = new Sequence(this.#nextId++, request, vocabSize, blockSize, nowNs());
    scheduler.submit(sequence);
    this.#loop ??= this.#runSteps();
    return sequence.id;
  }

  /** Ends a sequence with reason `abort` before the next step; an id that has ended already is ignored. */
  abort(id: number): void {
    const sequence = this.#dependencies.scheduler.sequences().find((candidate) => candidate.id === id);
    if (sequence !== undefined) {
      sequence.isAborted = true;
    }
  }

  /** Settles when no sequence is left. */
  async idle(): Promise<void> {
    await this.#loop;
  }

  async #runSteps(): Promise<void> {
    const { scheduler } = this.#dependencies;
    try {
      // Callers that submit together start in the same step.
      await Promise.resolve();
      while (!scheduler.isIdle) {
        await this.#step();
      }
      this.#reportStep();
    } finally {
      this.#loop = undefined;
    }
  }

  async #step(): Promise<void> {
    const { scheduler, runner, nowNs } = this.#dependencies;
    this.#removeAborted();
    const startNs = nowNs();
    const plan = scheduler.plan(startNs);
    if (plan.length === 0) {
      if (!scheduler.isIdle) {
        this.#failAll(new TarsError('INTERNAL', { reason: 'no sequence fits into the cache' }));
      }
      this.#lastStep = { ...this.#counts(), stepTokens: 0, stepDurationNs: 0 };
      return;
    }
    try {
      const running = runner.run(plan);
      // What the last step brought is sent while this one runs.
      this.#reportStep();
      const logits = await running;
      scheduler.commit(plan);
      await this.#prepareConstraints(plan);
      this.#sample(plan, logits);
    } catch (error) {
      this.#failAll(error);
    }
    const stepTokens = plan.reduce((sum, entry) => sum + entry.numTokens, 0);
    this.#lastStep = { ...this.#counts(), stepTokens, stepDurationNs: Number(nowNs() - startNs) };
  }

  async #prepareConstraints(plan: StepPlan): Promise<void> {
    for (const { sequence } of plan) {
      const { constraint } = sequence.request;
      if (constraint === undefined) {
        continue;
      }
      try {
        await constraint.ready();
      } catch (error) {
        sequence.isAborted = true;
        this.#fail(sequence, error);
      }
    }
  }

  #reportStep(): void {
    const stats = this.#lastStep;
    this.#lastStep = undefined;
    if (stats) {
      this.#dependencies.onStep(stats);
    }
  }

  #counts(): Omit<EngineStats, 'stepTokens' | 'stepDurationNs'> {
    const { scheduler, pool } = this.#dependencies;
    return {
      numRunning: scheduler.numRunning,
      numWaiting: scheduler.numWaiting,
      numFreeBlocks: pool.numFree,
      numBlocks: pool.numBlocks,
    };
  }

  #sample(plan: StepPlan, logits: readonly Float32Array[]): void {
    let row = 0;
    for (const { sequence, numLogits } of plan) {
      const rows = logits.slice(row, row + numLogits);
      row += numLogits;
      const last = rows.at(-1);
      if (last === undefined || sequence.isAborted) {
        continue;
      }
      try {
        scorePrompt(sequence, rows);
        if (sequence.numPending === 0) {
          this.#advance(sequence, last);
        }
      } catch (error) {
        this.#fail(sequence, error);
      }
    }
  }

  #fail(sequence: Sequence, error: unknown): void {
    this.#dependencies.scheduler.finish(sequence);
    sequence.request.onError(error instanceof Error ? error : new Error(errorMessage(error)));
  }

  /** Samples one token, reports it, and applies the stop rules in their order. */
  #advance(sequence: Sequence, logits: Float32Array): void {
    const { request, sampler } = sequence;
    const id = sampler.sample(logits);
    const nowNs = this.#dependencies.nowNs();
    const scores = request.topLogprobs === undefined ? undefined : tokenScores(sequence, logits, id, request.topLogprobs);
    sequence.append(id, nowNs);
    if (request.endIds.has(id)) {
      this.#finish(sequence, 'stop');
    } else if (request.maxTokens === 0) {
      // Ollama counts the token that was sampled but sends nothing of it.
      this.#finish(sequence, 'length');
    } else if (request.onToken(id, scores)) {
      this.#finish(sequence, 'stop');
    } else if (sequence.numGenerated >= request.maxTokens) {
      this.#finish(sequence, 'length');
    } else if (sequence.tokens.length >= this.#dependencies.contextLength) {
      this.#contextFull(sequence);
    }
  }

  #contextFull(sequence: Sequence): void {
    const keep = Math.min(sequence.request.numKeep, this.#dependencies.contextLength - 2);
    if (!sequence.request.shift || keep < 0) {
      this.#finish(sequence, 'length');
      return;
    }
    // Keys in the cache are rotated for their old positions, so the kept tokens are simply run again.
    sequence.shift(keep);
    this.#dependencies.scheduler.restart(sequence);
  }

  #finish(sequence: Sequence, reason: StopReason): void {
    this.#dependencies.scheduler.finish(sequence);
    sequence.request.onFinish(reason, sequence.stats(this.#dependencies.nowNs()), sequence.promptLogprobs);
  }

  #removeAborted(): void {
    for (const sequence of this.#dependencies.scheduler.sequences()) {
      if (sequence.isAborted) {
        this.#finish(sequence, 'abort');
      }
    }
  }

  #failAll(error: unknown): void {
    for (const sequence of this.#dependencies.scheduler.sequences()) {
      this.#fail(sequence, error);
    }
  }
}

/** Enters the scores of prompt tokens: the row of each token tells about the one behind it. */
function scorePrompt(sequence: Sequence, rows: readonly Float32Array[]): void {
  const { scoresPrompt, promptIds } = sequence.request;
  if (scoresPrompt !== true || sequence.isShifted) {
    return;
  }
  rows.forEach((row, index) => {
    const place = sequence.numComputed - rows.length + index;
    const next = promptIds[place + 1];
    if (next !== undefined) {
      sequence.promptLogprobs[place] = sequence.sampler.logprobs(row, next, 0).logprob;
    }
  });
}

function tokenScores(sequence: Sequence, logits: Float32Array, id: number, numTop: number): TokenScores {
  return { id, ...sequence.sampler.logprobs(logits, id, numTop) };
}
