// A pool without engines: its "model" answers with a formula of the prompt, one token for every four characters.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TarsError } from '../../src/errors/index.js';
import type {
  GenerationEvent,
  GenerationRequest,
  LoadOptions,
  LoadedModel,
  RunnableModel,
  RunnerLease,
  RunnerPool,
  TokenLogprob,
} from '../../src/runners/index.js';

export interface FakeRunnerPoolOptions {
  /** Text of the answer to a prompt. By default it repeats what stands between `<<` and `>>` in it, or says its length. */
  readonly answer?: (prompt: string) => string;
  readonly contextLength?: number;
}

const charactersPerToken = 4;
/** A long answer lets sockets do their work meanwhile, as a real one would. */
const piecesBetweenTurns = 1000;

export function formulaAnswer(prompt: string): string {
  return /<<([\s\S]*)>>/.exec(prompt)?.[1] ?? `The prompt has ${prompt.length} characters.`;
}

export class FakeRunnerPool implements RunnerPool {
  /** Calls in order: `acquire m:latest`, `generate`, `release`, `abort`, `unload m:latest`, `close`. */
  readonly calls: string[] = [];
  readonly requests: GenerationRequest[] = [];
  readonly loads: LoadOptions[] = [];
  readonly keepAlives: (number | undefined)[] = [];
  /** Thrown by the next acquire. */
  acquireError: Error | undefined;
  /** Thrown by each generation after this many pieces. */
  failure: { readonly afterPieces: number; readonly error: Error } | undefined;
  /** Generations stop after this many pieces until they are aborted. */
  hangAfterPieces: number | undefined;
  numHeld = 0;
  readonly #loaded = new Map<string, LoadedModel>();
  readonly #answer: (prompt: string) => string;
  readonly #contextLength: number;

  constructor({ answer = formulaAnswer, contextLength = 4096 }: FakeRunnerPoolOptions = {}) {
    this.#answer = answer;
    this.#contextLength = contextLength;
  }

  async acquire(model: RunnableModel, options: LoadOptions, keepAliveMs: number | undefined): Promise<RunnerLease> {
    this.calls.push(`acquire ${model.displayName}`);
    this.loads.push(options);
    this.keepAlives.push(keepAliveMs);
    if (this.acquireError !== undefined) {
      const error = this.acquireError;
      this.acquireError = undefined;
      throw error;
    }
    this.numHeld++;
    const contextLength = options.numCtx ?? this.#contextLength;
    const expiresAtMs = Date.now() + (keepAliveMs ?? 300_000);
    this.#loaded.set(model.displayName, { model, sizeBytes: 1000, vramBytes: 0, contextLength, expiresAtMs });
    return this.#lease(model, contextLength, keepAliveMs);
  }

  forget(model: RunnableModel): void {
    this.calls.push(`forget ${model.displayName}`);
  }

  unload(model: RunnableModel): void {
    this.calls.push(`unload ${model.displayName}`);
    this.#loaded.delete(model.displayName);
  }

  list(): readonly LoadedModel[] {
    return [...this.#loaded.values()].sort((a, b) => b.expiresAtMs - a.expiresAtMs);
  }

  async close(): Promise<void> {
    this.calls.push('close');
  }

  #lease(model: RunnableModel, contextLength: number, keepAliveMs: number | undefined): RunnerLease {
    let isReleased = false;
    return {
      loadDurationNs: 0,
      contextLength,
      generate: (request, signal, onEvent) => this.#generate(request, contextLength, signal, onEvent),
      tokenize: async (text) => tokenize(text),
      detokenize: async (ids) => Buffer.from(ids).toString('utf8'),
      release: () => {
        if (isReleased) {
          throw new Error('a lease was released twice');
        }
        isReleased = true;
        this.numHeld--;
        this.calls.push('release');
        if (keepAliveMs === 0) {
          this.#loaded.delete(model.displayName);
        }
      },
    };
  }

  async #generate(
    request: GenerationRequest,
    contextLength: number,
    signal: AbortSignal,
    onEvent: (event: GenerationEvent) => void,
  ): Promise<void> {
    this.calls.push('generate');
    this.requests.push(request);
    const prompt = typeof request.prompt === 'string' ? request.prompt : Buffer.from(request.prompt).toString('utf8');
    const promptTokens = tokenize(prompt).length;
    if (promptTokens > contextLength && !request.truncate) {
      throw new TarsError('PROMPT_TOO_LONG');
    }
    const answer = cutAtStop(this.#answer(prompt), request.stop);
    const pieces = answer.match(new RegExp(`[^]{1,${charactersPerToken}}`, 'g')) ?? [];
    const kept = request.numPredict >= 0 ? pieces.slice(0, request.numPredict) : pieces;
    let numSent = 0;
    for (const text of kept) {
      if (numSent % piecesBetweenTurns === piecesBetweenTurns - 1) {
        await nextTurn();
      }
      await this.#beforePiece(numSent, signal);
      numSent++;
      onEvent({
        kind: 'text',
        text,
        ...(request.topLogprobs !== undefined && { logprobs: [logprobOf(text, request.topLogprobs)] }),
      });
    }
    await this.#beforePiece(numSent, signal);
    onEvent({
      kind: 'done',
      reason: kept.length < pieces.length ? 'length' : 'stop',
      stats: { promptTokens, promptDurationNs: 2e6, generatedTokens: kept.length, generationDurationNs: 3e6 },
      contextIds: [...tokenize(prompt), ...tokenize(kept.join(''))],
      ...(request.promptLogprobs === true && {
        promptLogprobs: [...prompt].slice(1).map((character) => logprobOf(character, 0)),
      }),
    });
  }

  async #beforePiece(numSent: number, signal: AbortSignal): Promise<void> {
    if (this.failure !== undefined && numSent === this.failure.afterPieces) {
      throw this.failure.error;
    }
    if (numSent === this.hangAfterPieces && !signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
    if (signal.aborted) {
      this.calls.push('abort');
      throw new TarsError('REQUEST_CANCELED');
    }
  }
}

/** One token for each byte, so that every text has ids and every id a text. */
function tokenize(text: string): number[] {
  return [...Buffer.from(text)];
}

function cutAtStop(answer: string, stops: readonly string[]): string {
  const ends = stops.map((stop) => answer.indexOf(stop)).filter((at) => at >= 0);
  return answer.slice(0, Math.min(answer.length, ...ends));
}

function logprobOf(token: string, numTop: number): TokenLogprob {
  const entry = { token, logprob: -0.5, bytes: tokenize(token) };
  return { ...entry, top: Array.from({ length: numTop }, () => entry) };
}
