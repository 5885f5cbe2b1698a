import { describe, expect, it } from 'vitest';
import { defaultSamplingOptions } from '../sampling/index.js';
import { BlockPool } from './block-pool.js';
import { Engine, type EngineStats, type StepRunner } from './engine.js';
import { Scheduler, type SchedulerLimits, type StepPlan } from './scheduler.js';
import type { SequenceRequest, SequenceStats, StopReason } from './sequence.js';

const vocabSize = 97;
const blockSize = 4;

/** The next token is a formula of all tokens so far, so any slip in what a sequence has seen changes the answer. */
function nextToken(tokens: readonly number[]): number {
  return tokens.reduce((hash, token, index) => (hash * 31 + token * (index + 1) + 7) % vocabSize, 1);
}

/** Runs plans without a model: reads what the cache would hold, block by block, and answers by the formula. */
class FormulaRunner implements StepRunner {
  readonly plans: { numTokens: number; past: number }[][] = [];
  failNext = false;
  /** Most rows of logits that a step gave. */
  maxRows = 0;
  onRun: (plan: StepPlan) => void = () => undefined;
  readonly #cache: number[][];

  constructor(numBlocks: number) {
    this.#cache = Array.from({ length: numBlocks }, () => []);
  }

  async run(plan: StepPlan): Promise<Float32Array[]> {
    this.onRun(plan);
    await Promise.resolve();
    if (this.failNext) {
      this.failNext = false;
      throw new Error('the session failed');
    }
    this.plans.push(plan.map(({ sequence, numTokens }) => ({ numTokens, past: sequence.numComputed })));
    const logits: Float32Array[] = [];
    for (const { sequence, numTokens, numLogits } of plan) {
      for (let position = sequence.numComputed; position < sequence.numComputed + numTokens; position++) {
        const block = this.#cache[sequence.blocks[Math.floor(position / blockSize)] ?? -1];
        if (!block) {
          throw new Error(`position ${position} has no block`);
        }
        block[position % blockSize] = sequence.tokens[position] ?? -1;
      }
      for (let end = numTokens - numLogits + 1; end <= numTokens; end++) {
        const seen = Array.from(
          { length: sequence.numComputed + end },
          (_, position) => this.#cache[sequence.blocks[Math.floor(position / blockSize)] ?? -1]?.[position % blockSize] ?? -1,
        );
        const row = new Float32Array(vocabSize);
        row[nextToken(seen)] = 10;
        logits.push(row);
      }
    }
    this.maxRows = Math.max(this.maxRows, logits.length);
    return logits;
  }
}

function createEngine(overrides: Partial<SchedulerLimits> & { numBlocks?: number; contextLength?: number } = {}): {
  engine: Engine;
  runner: FormulaRunner;
  pool: BlockPool;
  stats: EngineStats[];
} {
  const numBlocks = overrides.numBlocks ?? 64;
  const pool = new BlockPool(numBlocks);
  const runner = new FormulaRunner(numBlocks);
  const scheduler = new Scheduler(pool, {
    numTokens: 16,
    numPrefillTokensWhileDecoding: 8,
    maxSequences: 8,
    maxLogits: 8,
    blockSize,
    ...overrides,
  });
  const stats: EngineStats[] = [];
  let clock = 0n;
  const engine = new Engine({
    runner,
    scheduler,
    pool,
    vocabSize,
    blockSize,
    contextLength: overrides.contextLength ?? 128,
    nowNs: () => (clock += 1000n),
    onStep: (step) => stats.push(step),
  });
  return { engine, runner, pool, stats };
}

interface Outcome {
  ids: number[];
  reason?: StopReason;
  stats?: SequenceStats;
  promptLogprobs?: readonly number[];
  error?: Error;
}

function request(promptIds: readonly number[], overrides: Partial<SequenceRequest> = {}): [SequenceRequest, Outcome] {
  const outcome: Outcome = { ids: [] };
  const sequence: SequenceRequest = {
    promptIds,
    sampling: { ...defaultSamplingOptions, temperature: 0 },
    endIds: new Set(),
    maxTokens: 10,
    numKeep: 0,
    shift: false,
    onToken: (id) => {
      outcome.ids.push(id);
      return false;
    },
    onFinish: (reason, stats, promptLogprobs) => {
      outcome.reason = reason;
      outcome.stats = stats;
      outcome.promptLogprobs = promptLogprobs;
    },
    onError: (error) => {
      outcome.error = error;
    },
    ...overrides,
  };
  return [sequence, outcome];
}

function continuation(prompt: readonly number[], count: number): number[] {
  const tokens = [...prompt];
  for (let index = 0; index < count; index++) {
    tokens.push(nextToken(tokens));
  }
  return tokens.slice(prompt.length);
}

/** Log-probability of each token but the first under the formula's row: 10 for the next token, 0 for all others. */
function formulaScores(tokens: readonly number[]): number[] {
  const logTotal = Math.log(Math.exp(10) + vocabSize - 1);
  return tokens.slice(1).map((token, index) => (nextToken(tokens.slice(0, index + 1)) === token ? 10 : 0) - logTotal);
}

describe('Engine', () => {
  it('scores every prompt token when asked, in chunks, beside others, and with its prefix in the cache', async () => {
    const prompt = [5, 6, 7, ...continuation([5, 6, 7], 20), 8, 9];
    const { engine, runner } = createEngine({ maxLogits: 3, maxSequences: 3 });
    const [first] = request(prompt);
    engine.submit(first);
    await engine.idle();
    const [scored, outcome] = request(prompt, { scoresPrompt: true });
    const [other, otherOutcome] = request([1, 2]);
    engine.submit(scored);
    engine.submit(other);
    await engine.idle();
    const expected = formulaScores(prompt);
    expect(outcome.promptLogprobs).toHaveLength(expected.length);
    outcome.promptLogprobs?.forEach((logprob, index) => expect(logprob).toBeCloseTo(expected[index] ?? NaN, 5));
    expect(outcome.ids).toEqual(continuation(prompt, 10));
    expect(otherOutcome.ids).toEqual(continuation([1, 2], 10));
    expect(otherOutcome.promptLogprobs).toEqual([]);
    expect(runner.maxRows).toBeLessThanOrEqual(3);
  });

  it('continues a prompt as if it had been run whole, alone', async () => {
    const { engine, pool } = createEngine();
    const [sequence, outcome] = request([5, 6, 7]);
    engine.submit(sequence);
    await engine.idle();
    expect(outcome.ids).toEqual(continuation([5, 6, 7], 10));
    expect(outcome.reason).toBe('length');
    expect(outcome.stats).toMatchObject({ promptTokens: 3, generatedTokens: 10, cachedTokens: 0 });
    expect(pool.numFree).toBe(64);
  });

  it('runs prompts in chunks beside decoding sequences with the same results', async () => {
    const { engine, runner } = createEngine();
    const prompts = [[1], Array.from({ length: 50 }, (_, index) => index), [9, 8, 7, 6], Array.from({ length: 33 }, () => 3)];
    const outcomes = prompts.map((prompt) => {
      const [sequence, outcome] = request(prompt);
      engine.submit(sequence);
      return outcome;
    });
    await engine.idle();
    outcomes.forEach((outcome, index) => expect(outcome.ids).toEqual(continuation(prompts[index] ?? [], 10)));
    expect(Math.max(...runner.plans.map((plan) => plan.reduce((sum, entry) => sum + entry.numTokens, 0)))).toBeLessThanOrEqual(
      16,
    );
    expect(
      runner.plans.some((plan) => plan.some((entry) => entry.numTokens === 1) && plan.some((entry) => entry.numTokens > 1)),
    ).toBe(true);
  });

  it('preempts when blocks run out, and no sequence loses a token', async () => {
    const { engine, pool } = createEngine({ numBlocks: 8 });
    const outcomes = [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ].map((prompt) => {
      const [sequence, outcome] = request(prompt, { maxTokens: 20 });
      engine.submit(sequence);
      return { prompt, outcome };
    });
    await engine.idle();
    for (const { prompt, outcome } of outcomes) {
      expect(outcome.ids).toEqual(continuation(prompt, 20));
    }
    expect(pool.numFree).toBe(8);
  });

  it('reuses the blocks of an equal prefix and gives the same answer', async () => {
    const { engine, runner } = createEngine();
    const prompt = Array.from({ length: 21 }, (_, index) => (index * 7) % vocabSize);
    const [first, firstOutcome] = request(prompt);
    engine.submit(first);
    await engine.idle();
    runner.plans.length = 0;
    const [second, secondOutcome] = request([...prompt, 11]);
    engine.submit(second);
    await engine.idle();
    expect(secondOutcome.stats?.cachedTokens).toBe(20);
    expect(runner.plans[0]).toEqual([{ numTokens: 2, past: 20 }]);
    expect(firstOutcome.ids).toEqual(continuation(prompt, 10));
    expect(secondOutcome.ids).toEqual(continuation([...prompt, 11], 10));
  });

  it('frees the blocks of an aborted sequence before the next step', async () => {
    const { engine, runner, pool } = createEngine();
    const [sequence, outcome] = request([1, 2, 3], { maxTokens: 50 });
    const id = engine.submit(sequence);
    let steps = 0;
    runner.onRun = () => {
      steps += 1;
      if (steps === 3) {
        engine.abort(id);
      }
    };
    await engine.idle();
    expect(steps).toBe(3);
    expect(outcome.reason).toBe('abort');
    expect(pool.numFree).toBe(64);
  });

  it('ends at an end id, at a stop of the caller, and at the context limit', async () => {
    const { engine } = createEngine({ contextLength: 16 });
    const [third] = continuation([1, 2], 3).slice(2);
    const [atEnd, ended] = request([1, 2], { endIds: new Set([third ?? -1]) });
    const [stopped, stop] = request([1, 2], { onToken: () => true });
    const [full, length] = request([1, 2], { maxTokens: 100 });
    [atEnd, stopped, full].forEach((sequence) => engine.submit(sequence));
    await engine.idle();
    expect(ended).toMatchObject({ reason: 'stop', ids: continuation([1, 2], 2) });
    expect(stop.reason).toBe('stop');
    expect(length).toMatchObject({ reason: 'length', ids: continuation([1, 2], 14) });
  });

  it('shifts a full context when asked to and goes on', async () => {
    const { engine } = createEngine({ contextLength: 16 });
    const [sequence, outcome] = request([1, 2, 3, 4], { shift: true, numKeep: 2, maxTokens: 40 });
    engine.submit(sequence);
    await engine.idle();
    expect(outcome.reason).toBe('length');
    expect(outcome.ids).toHaveLength(40);
    const first = continuation([1, 2, 3, 4], 12);
    const context = [1, 2, 3, 4, ...first];
    const shifted = [...context.slice(0, 2), ...context.slice(9)];
    expect(outcome.ids.slice(0, 13)).toEqual([...first, nextToken(shifted)]);
  });

  it('reports a failed step to every sequence and serves the next request', async () => {
    const { engine, runner, pool } = createEngine();
    const [sequence, outcome] = request([1, 2]);
    runner.failNext = true;
    engine.submit(sequence);
    await engine.idle();
    expect(outcome.error?.message).toBe('the session failed');
    const [next, nextOutcome] = request([1, 2]);
    engine.submit(next);
    await engine.idle();
    expect(nextOutcome.ids).toHaveLength(10);
    expect(pool.numFree).toBe(64);
  });

  it('refuses prompts that cannot be run', () => {
    const { engine } = createEngine({ contextLength: 8 });
    expect(() => engine.submit(request([])[0])).toThrow(/no tokens/);
    expect(() => engine.submit(request([vocabSize])[0])).toThrow(/not in 0…96/);
    expect(() => engine.submit(request([1, 2, 3, 4, 5, 6, 7, 8])[0])).toThrow(/available context size/);
  });

  it('lets a constraint choose, and an error of one ends its own sequence only', async () => {
    const { engine, pool } = createEngine();
    const accepted: number[] = [];
    const constraint = {
      ready: () => Promise.resolve(),
      masked: (logits: Float32Array) => logits.map((_, id) => (id === 42 ? 0 : -Infinity)),
      accept: (id: number) => accepted.push(id),
      [Symbol.dispose]: () => undefined,
    };
    const [constrained, outcome] = request([5, 6], { constraint, maxTokens: 3 });
    const broken = { ...constraint, ready: () => Promise.reject(new Error('no mask')) };
    const [failing, failed] = request([5, 6], { constraint: broken });
    const [free, freeOutcome] = request([1, 2]);
    [constrained, failing, free].forEach((sequence) => engine.submit(sequence));
    await engine.idle();
    expect(outcome.ids).toEqual([42, 42, 42]);
    expect(accepted).toEqual([42, 42, 42]);
    expect(failed.error?.message).toBe('no mask');
    expect(freeOutcome.ids).toEqual(continuation([1, 2], 10));
    expect(pool.numFree).toBe(64);
  });
});
