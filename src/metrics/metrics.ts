// Every metric of the server, under vLLM's names with the prefix `tars_`. Times in seconds, sizes in bytes.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Buckets of vLLM, so that its dashboards and alert rules fit. */
const firstTokenBuckets = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160];
const interTokenBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10];
const requestBuckets = [0.05, 0.1, 0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920];

export type FinishReason = 'stop' | 'length' | 'abort' | 'error';

export interface LoadedModelSample {
  readonly model: string;
  readonly sizeBytes: number;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = new Set<RequestMetrics>();
  readonly #running = this.#gauge('num_requests_running', 'Requests that a loaded model is answering.', ['model']);
  readonly #waiting = this.#gauge('num_requests_waiting', 'Requests that wait for their model to load.', ['model']);
  readonly #loaded = this.#gauge('loaded_models', 'Models that are loaded.', []);
  readonly #memory = this.#gauge('model_memory_bytes', 'Weights, cache and buffers of a loaded model.', ['model']);
  readonly #promptTokens = this.#counter('prompt_tokens_total', 'Prompt tokens, those found in the prefix cache included.', [
    'model',
  ]);
  readonly #generationTokens = this.#counter('generation_tokens_total', 'Generated tokens.', ['model']);
  readonly #finished = this.#counter('request_success_total', 'Finished requests by reason: stop, length, abort or error.', [
    'model',
    'finished_reason',
  ]);
  readonly #firstToken = this.#histogram(
    'time_to_first_token_seconds',
    'From the arrival of a request to its first text, loading included.',
    firstTokenBuckets,
  );
  readonly #interToken = this.#histogram(
    'inter_token_latency_seconds',
    'Between one piece of text and the next.',
    interTokenBuckets,
  );
  readonly #duration = this.#histogram(
    'e2e_request_latency_seconds',
    'From the arrival of a request to its end.',
    requestBuckets,
  );

  /** Starts the record of one request; it counts as waiting until `started()`. Call `finished()` exactly once. */
  beginRequest(model: string): RequestMetrics {
    const label = { model };
    const request = new RequestMetrics({
      waiting: this.#waiting.labels(label),
      running: this.#running.labels(label),
      promptTokens: this.#promptTokens.labels(label),
      generationTokens: this.#generationTokens.labels(label),
      firstToken: this.#firstToken.labels(label),
      interToken: this.#interToken.labels(label),
      duration: this.#duration.labels(label),
      countFinish: (reason) => this.#finished.inc({ model, finished_reason: reason }),
      onFinished: (ended) => this.#requests.delete(ended),
    });
    this.#requests.add(request);
    return request;
  }

  /** Prometheus text; loaded models are given at the moment of the scrape. */
  text(loadedModels: readonly LoadedModelSample[]): Promise<string> {
    this.#requests.forEach((request) => request.flush());
    this.#loaded.set(loadedModels.length);
    this.#memory.reset();
    for (const { model, sizeBytes } of loadedModels) {
      this.#memory.set({ model }, sizeBytes);
    }
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #gauge<T extends string>(name: string, help: string, labelNames: readonly T[]): Gauge<T> {
    return new Gauge({ name: `tars_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #counter<T extends string>(name: string, help: string, labelNames: readonly T[]): Counter<T> {
    return new Counter({ name: `tars_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram<'model'> {
    return new Histogram({ name: `tars_${name}`, help, labelNames: ['model'], buckets, registers: [this.#registry] });
  }
}

/** One entry at a time was 6 % of what the server does for a token: cold code while a model runs. */
const gapsTogether = 32;

interface RequestInstruments {
  readonly waiting: Gauge.Internal<'model'>;
  readonly running: Gauge.Internal<'model'>;
  readonly promptTokens: Counter.Internal;
  readonly generationTokens: Counter.Internal;
  readonly firstToken: Histogram.Internal<'model'>;
  readonly interToken: Histogram.Internal<'model'>;
  readonly duration: Histogram.Internal<'model'>;
  readonly countFinish: (reason: FinishReason) => void;
  /** Called once at the end. */
  readonly onFinished: (request: RequestMetrics) => void;
}

/** Times and counts of one request; the labels are looked up once, so that a token costs one histogram entry. */
export class RequestMetrics {
  readonly #instruments: RequestInstruments;
  readonly #beganMs = performance.now();
  #lastTextMs: number | undefined;
  #gapsMs: number[] = [];
  #state: 'waiting' | 'running' | 'finished' = 'waiting';

  constructor(instruments: RequestInstruments) {
    this.#instruments = instruments;
    instruments.waiting.inc();
  }

  /** The model is loaded and works on the request. */
  started(): void {
    if (this.#state === 'waiting') {
      this.#state = 'running';
      this.#instruments.waiting.dec();
      this.#instruments.running.inc();
    }
  }

  /** A piece of text came out of the engine. */
  text(): void {
    const nowMs = performance.now();
    if (this.#lastTextMs === undefined) {
      this.#instruments.firstToken.observe((nowMs - this.#beganMs) / 1000);
    } else {
      this.#gapsMs.push(nowMs - this.#lastTextMs);
      if (this.#gapsMs.length >= gapsTogether) {
        this.flush();
      }
    }
    this.#lastTextMs = nowMs;
  }

  /** Enters the gaps between tokens that were kept back. */
  flush(): void {
    for (const gapMs of this.#gapsMs) {
      this.#instruments.interToken.observe(gapMs / 1000);
    }
    this.#gapsMs = [];
  }

  tokens(numPrompt: number, numGenerated: number): void {
    this.#instruments.promptTokens.inc(numPrompt);
    this.#instruments.generationTokens.inc(numGenerated);
  }

  /** Ends the record; a second call does nothing, so that a `finally` may follow a precise reason. */
  finished(reason: FinishReason): void {
    if (this.#state === 'finished') {
      return;
    }
    (this.#state === 'waiting' ? this.#instruments.waiting : this.#instruments.running).dec();
    this.#state = 'finished';
    this.#instruments.duration.observe((performance.now() - this.#beganMs) / 1000);
    this.#instruments.countFinish(reason);
    this.flush();
    this.#instruments.onFinished(this);
  }
}
