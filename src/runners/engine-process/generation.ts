// One request inside an engine process: its prompt as ids, and generated ids as text that is safe to send.
import { TarsError } from '../../errors/index.js';
import type { Engine, SequenceRequest, SequenceStats, StopReason, TokenScores } from '../../engine/index.js';
import { StopMatcher, type TokenConstraint } from '../../sampling/index.js';
import { IncrementalDetokenizer, type Tokenizer } from '../../tokenizer/index.js';
import type { GenerationEvent, GenerationRequest, TokenLogprob } from '../types.js';

export interface GenerationSinks {
  readonly onEvent: (event: GenerationEvent) => void;
  readonly onAbort: () => void;
  readonly onError: (error: Error) => void;
}

/** Submits a request to the engine and returns its sequence id. Throws PROMPT_TOO_LONG, CONTEXT_EXCEEDED, BAD_REQUEST. */
export function startGeneration(
  engine: Engine,
  tokenizer: Tokenizer,
  contextLength: number,
  request: GenerationRequest,
  sinks: GenerationSinks,
  constraint: TokenConstraint | undefined,
): number {
  const promptIds = fitPrompt(promptTokens(tokenizer, request), contextLength, request, tokenizer);
  const numKeep = keptTokens(request, tokenizer);
  const output = new GenerationOutput(tokenizer, request, promptIds, sinks);
  return engine.submit({
    promptIds,
    sampling: request.sampling,
    endIds: new Set(tokenizer.endIds),
    maxTokens: request.numPredict < 0 ? contextLength * 10 : Math.min(request.numPredict, contextLength * 10),
    numKeep,
    shift: request.shift,
    ...(request.topLogprobs === undefined ? {} : { topLogprobs: request.topLogprobs }),
    ...(constraint === undefined ? {} : { constraint }),
    ...(request.promptLogprobs === true ? { scoresPrompt: true } : {}),
    onToken: (id, scores) => output.onToken(id, scores),
    onFinish: (reason, stats, promptLogprobs) => output.onFinish(reason, stats, promptLogprobs),
    onError: sinks.onError,
  } satisfies SequenceRequest);
}

function promptTokens(tokenizer: Tokenizer, { prompt }: GenerationRequest): readonly number[] {
  if (typeof prompt !== 'string') {
    return prompt;
  }
  const ids = tokenizer.encode(prompt, { addBos: true, parseSpecial: true });
  // An empty text without BOS still has to start somewhere.
  return ids.length > 0 ? ids : [tokenizer.bosId ?? tokenizer.endIds[0] ?? 0];
}

function keptTokens({ numKeep }: GenerationRequest, tokenizer: Tokenizer): number {
  return Math.max(0, numKeep) + tokenizer.encode('', { addBos: true }).length;
}

/** Ollama's rule for a prompt that does not fit: keep the first tokens and the tail, so that half of the context is free. */
function fitPrompt(
  ids: readonly number[],
  contextLength: number,
  request: GenerationRequest,
  tokenizer: Tokenizer,
): readonly number[] {
  if (ids.length < contextLength || !request.truncate) {
    return ids;
  }
  if (!request.shift) {
    throw new TarsError('PROMPT_TOO_LONG');
  }
  const keep = Math.min(keptTokens(request, tokenizer), contextLength - 2);
  const target = contextLength - Math.max(Math.floor((contextLength - keep) / 2), 1);
  return [...ids.slice(0, keep), ...ids.slice(ids.length - (target - keep))];
}

/** Turns ids into text events: whole characters only, nothing that might be the start of a stop string. */
class GenerationOutput {
  readonly #tokenizer: Tokenizer;
  readonly #detokenizer: IncrementalDetokenizer;
  readonly #stops: StopMatcher;
  readonly #sinks: GenerationSinks;
  readonly #promptIds: readonly number[];
  readonly #scoresPrompt: boolean;
  readonly #generatedIds: number[] = [];
  #logprobs: TokenLogprob[] = [];
  #isStopped = false;
  #sentText = '';

  constructor(tokenizer: Tokenizer, request: GenerationRequest, promptIds: readonly number[], sinks: GenerationSinks) {
    this.#tokenizer = tokenizer;
    this.#detokenizer = new IncrementalDetokenizer(tokenizer, { isContinuation: true });
    this.#stops = new StopMatcher(request.stop);
    this.#promptIds = promptIds;
    this.#scoresPrompt = request.promptLogprobs === true;
    this.#sinks = sinks;
  }

  onToken(id: number, scores: TokenScores | undefined): boolean {
    this.#generatedIds.push(id);
    if (scores !== undefined) {
      this.#logprobs.push(this.#describe(scores));
    }
    this.#emit(this.#beforeStop(this.#detokenizer.push(id)));
    return this.#isStopped;
  }

  onFinish(reason: StopReason, stats: SequenceStats, promptLogprobs: readonly number[]): void {
    if (reason === 'abort') {
      this.#sinks.onAbort();
      return;
    }
    // Bytes of an unfinished character are dropped: a client that goes on from here would keep the replacement for ever.
    if (!this.#isStopped) {
      this.#emit(this.#stops.flush());
    }
    this.#sinks.onEvent({
      kind: 'done',
      reason,
      stats: {
        promptTokens: stats.promptTokens,
        promptDurationNs: stats.promptDurationNs,
        generatedTokens: stats.generatedTokens,
        generationDurationNs: stats.generationDurationNs,
      },
      contextIds: [...this.#promptIds, ...this.#answerIds()],
      ...(this.#scoresPrompt && {
        promptLogprobs: promptLogprobs.map((logprob, index) => this.#tokenEntry(this.#promptIds[index + 1] ?? 0, logprob)),
      }),
    });
  }

  /** Ids of what was sent: a stop string and what followed it within its last token are no part of the conversation. */
  #answerIds(): readonly number[] {
    return this.#isStopped ? this.#tokenizer.encode(this.#sentText) : this.#generatedIds;
  }

  #beforeStop(piece: string): string {
    const { text, stop } = this.#stops.push(piece);
    this.#isStopped = stop !== undefined;
    return text;
  }

  #emit(text: string): void {
    this.#sentText += text;
    if (text === '' && this.#logprobs.length === 0) {
      return;
    }
    const logprobs = this.#logprobs;
    this.#logprobs = [];
    this.#sinks.onEvent(logprobs.length > 0 ? { kind: 'text', text, logprobs } : { kind: 'text', text });
  }

  #describe({ id, logprob, top }: TokenScores): TokenLogprob {
    const entry = this.#tokenEntry(id, logprob);
    return top.length > 0 ? { ...entry, top: top.map((choice) => this.#tokenEntry(choice.id, choice.logprob)) } : entry;
  }

  #tokenEntry(id: number, logprob: number): { token: string; logprob: number; bytes: number[] } {
    const token = Buffer.from(this.#tokenizer.tokenBytes(id)).toString('utf8');
    return { token, logprob: Math.min(0, logprob), bytes: [...Buffer.from(token)] };
  }
}
