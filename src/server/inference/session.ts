// One request on a loaded model: holds the lease, runs the generation, and reports its pieces and figures.
import type { Logprob, LogprobToken, ResponseMetrics } from '../../api/index.js';
import { TarsError, errorMessage } from '../../errors/index.js';
import type { RequestMetrics } from '../../metrics/index.js';
import type { StoredModel } from '../../registry/index.js';
import type { DoneReason, GenerationRequest, GenerationStats, RunnerLease, TokenLogprob } from '../../runners/index.js';
import type { ThinkingTags } from '../../template/index.js';
import { runnableModel } from '../model-lookup.js';
import type { RequestOptions } from '../request-options.js';
import type { Services } from '../services.js';
import type { OutputParser, OutputPiece } from './output-parser.js';

export type SessionEvent =
  | { readonly kind: 'piece'; readonly piece: OutputPiece; readonly logprobs: Logprob[] | undefined }
  | {
      readonly kind: 'done';
      readonly reason: DoneReason;
      readonly metrics: ResponseMetrics;
      readonly contextIds: readonly number[];
      readonly promptLogprobs: readonly Logprob[] | undefined;
    };

export interface SessionRequest {
  readonly model: StoredModel;
  readonly options: RequestOptions;
  readonly keepAliveMs: number | undefined;
  readonly signal: AbortSignal;
}

/** Request-scope settings that are not options of the model. */
export interface GenerationChoices {
  readonly truncate: boolean;
  readonly shift: boolean;
  readonly logprobs: boolean;
  readonly topLogprobs: number;
  readonly promptLogprobs?: boolean | undefined;
  readonly format: GenerationRequest['format'] | undefined;
}

/** A rendered prompt and what is to become of its answer. */
export interface Generation {
  readonly prompt: string;
  readonly parser: OutputParser;
  readonly format: GenerationRequest['format'] | undefined;
}

/** What the engine is told of a format; nothing without one. */
export function constrainedFormat(grammar: string | undefined, thinking: ThinkingTags | undefined): GenerationRequest['format'] {
  return grammar === undefined ? undefined : { grammar, ...(thinking !== undefined && { thinking }) };
}

export class InferenceSession {
  readonly #startNs = process.hrtime.bigint();
  readonly #request: SessionRequest;
  readonly #metrics: RequestMetrics;
  #lease: RunnerLease | undefined;

  private constructor(request: SessionRequest, metrics: RequestMetrics) {
    this.#request = request;
    this.#metrics = metrics;
  }

  /** Waits until the model is loaded. Throws what `RunnerPool.acquire` throws. Close the session in every case. */
  static async open(services: Services, request: SessionRequest): Promise<InferenceSession> {
    const session = new InferenceSession(request, services.metrics.beginRequest(request.model.displayName));
    try {
      const { model, options, keepAliveMs, signal } = request;
      session.#lease = await services.pool.acquire(runnableModel(model), options.load, keepAliveMs, signal);
      session.#metrics.started();
      return session;
    } catch (error) {
      session.close('error');
      throw error;
    }
  }

  get lease(): RunnerLease {
    if (this.#lease === undefined) {
      throw new TarsError('INTERNAL', { reason: 'the model was released already' });
    }
    return this.#lease;
  }

  async countTokens(prompt: string): Promise<number> {
    return (await this.lease.tokenize(prompt, true)).length;
  }

  /** Gives the model back. A second call does nothing. */
  close(reason: DoneReason | 'abort' | 'error'): void {
    this.#metrics.finished(reason);
    const lease = this.#lease;
    this.#lease = undefined;
    lease?.release();
  }

  /** Generates the answer to a prompt and closes the session, whatever happens. Pieces that carry nothing are left out. */
  async run(
    prompt: string,
    choices: GenerationChoices,
    parser: OutputParser,
    onEvent: (event: SessionEvent) => void,
  ): Promise<void> {
    const { signal } = this.#request;
    let reason: DoneReason | 'abort' | 'error' = 'error';
    try {
      await this.lease.generate(this.#generation(prompt, choices), signal, (event) => {
        if (event.kind === 'text') {
          this.#metrics.text();
          const piece = parser.push(event.text);
          const logprobs = event.logprobs?.map(wireLogprob);
          if (carriesAnything(piece) || logprobs !== undefined) {
            onEvent({ kind: 'piece', piece, logprobs });
          }
          return;
        }
        const rest = parser.flush();
        if (carriesAnything(rest)) {
          onEvent({ kind: 'piece', piece: rest, logprobs: undefined });
        }
        this.#metrics.tokens(event.stats.promptTokens, event.stats.generatedTokens);
        reason = event.reason;
        onEvent({
          kind: 'done',
          reason,
          metrics: this.#wireMetrics(event.stats),
          contextIds: event.contextIds,
          promptLogprobs: event.promptLogprobs?.map(wireLogprob),
        });
      });
    } catch (error) {
      reason = signal.aborted ? 'abort' : 'error';
      this.#throwIfAborted();
      throw error;
    } finally {
      this.close(reason);
    }
  }

  #generation(prompt: string, choices: GenerationChoices): GenerationRequest {
    const { truncate, shift, logprobs, topLogprobs, promptLogprobs, format } = choices;
    const { sampling, stop, numPredict, numKeep } = this.#request.options;
    return {
      prompt,
      sampling,
      stop,
      numPredict,
      numKeep,
      shift,
      truncate,
      ...(logprobs && { topLogprobs }),
      ...(promptLogprobs === true && { promptLogprobs }),
      ...(format !== undefined && { format }),
    };
  }

  /** An abort ends the stream in whatever way it met the engine; its reason is what the client is told. */
  #throwIfAborted(): void {
    const { signal } = this.#request;
    if (signal.aborted) {
      const reason: unknown = signal.reason;
      throw reason instanceof TarsError ? reason : new TarsError('REQUEST_CANCELED', {}, { cause: errorMessage(reason) });
    }
  }

  #wireMetrics(stats: GenerationStats): ResponseMetrics {
    // Durations are never zero on the wire, where zero would be left out.
    const duration = (ns: number): number => Math.max(1, Math.round(ns));
    return {
      total_duration: Number(process.hrtime.bigint() - this.#startNs),
      load_duration: duration(this.lease.loadDurationNs),
      prompt_eval_count: stats.promptTokens,
      prompt_eval_duration: duration(stats.promptDurationNs),
      eval_count: stats.generatedTokens,
      eval_duration: duration(stats.generationDurationNs),
    };
  }
}

function carriesAnything({ content, thinking, toolCalls }: OutputPiece): boolean {
  return content !== '' || thinking !== '' || toolCalls.length > 0;
}

function wireLogprob({ token, logprob, bytes, top }: TokenLogprob): Logprob {
  const wire = (entry: LogprobToken): LogprobToken => ({ token: entry.token, logprob: entry.logprob, bytes: entry.bytes });
  return { ...wire({ token, logprob, bytes }), ...(top !== undefined && top.length > 0 && { top_logprobs: top.map(wire) }) };
}
