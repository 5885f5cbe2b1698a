// One loaded model in the pool: its engine process, who holds it, and when it expires.
import type { EngineConnection } from './engine-connection.js';
import type { EngineReady, EngineSettings } from './protocol.js';
import type { LoadedModel, RunnableModel, RunnerLease } from './types.js';

/** Node's timers hold at most this many milliseconds (24.8 days). */
export const maxTimerMs = 2 ** 31 - 1;

export class Runner {
  readonly model: RunnableModel;
  readonly settings: EngineSettings;
  readonly ready: EngineReady;
  keepAliveMs: number;
  /** It will be unloaded when its requests end; no new request may hold it. */
  isRetiring = false;
  readonly #connection: EngineConnection;
  readonly #onExpire: (runner: Runner) => void;
  readonly #nowMs: () => number;
  #numLeases = 0;
  #lastUsedMs: number;
  #timer: NodeJS.Timeout | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(
    model: RunnableModel,
    settings: EngineSettings,
    connection: EngineConnection,
    ready: EngineReady,
    options: { readonly keepAliveMs: number; readonly onExpire: (runner: Runner) => void; readonly nowMs: () => number },
  ) {
    this.model = model;
    this.settings = settings;
    this.ready = ready;
    this.keepAliveMs = options.keepAliveMs;
    this.#connection = connection;
    this.#onExpire = options.onExpire;
    this.#nowMs = options.nowMs;
    this.#lastUsedMs = options.nowMs();
  }

  get isIdle(): boolean {
    return this.#numLeases === 0;
  }

  get sizeBytes(): number {
    return this.ready.weightsBytes + this.ready.cacheBytes;
  }

  isServedBy(connection: EngineConnection): boolean {
    return this.#connection === connection;
  }

  /** Holds the runner for one request. */
  lease(loadDurationNs: number, keepAliveMs: number | undefined): RunnerLease {
    this.#numLeases += 1;
    this.#stopTimer();
    this.keepAliveMs = keepAliveMs ?? this.keepAliveMs;
    let isReleased = false;
    return {
      loadDurationNs,
      contextLength: this.ready.contextLength,
      generate: (request, signal, onEvent) => this.#connection.generate(request, signal, onEvent),
      tokenize: (text, addBos) => this.#connection.tokenize(text, addBos),
      detokenize: (ids) => this.#connection.detokenize(ids),
      release: () => {
        if (!isReleased) {
          isReleased = true;
          this.#release();
        }
      },
    };
  }

  /** Unloads as soon as no request holds it. */
  expireSoon(): void {
    this.keepAliveMs = 0;
    if (this.isIdle) {
      this.#stopTimer();
      this.#onExpire(this);
    }
  }

  /** Settles when no request holds it. */
  idle(): Promise<void> {
    return this.isIdle ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  async close(): Promise<void> {
    this.#stopTimer();
    await this.#connection.close();
  }

  describe(): LoadedModel {
    const from = this.isIdle ? this.#lastUsedMs : this.#nowMs();
    return {
      model: this.model,
      sizeBytes: this.sizeBytes,
      vramBytes: 0,
      contextLength: this.ready.contextLength,
      expiresAtMs: from + this.keepAliveMs,
    };
  }

  #release(): void {
    this.#numLeases -= 1;
    this.#lastUsedMs = this.#nowMs();
    if (!this.isIdle) {
      return;
    }
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    waiting.forEach((wake) => wake());
    if (this.keepAliveMs <= 0) {
      this.#onExpire(this);
    } else if (Number.isFinite(this.keepAliveMs)) {
      this.#timer = setTimeout(() => this.#onExpire(this), Math.min(this.keepAliveMs, maxTimerMs));
      this.#timer.unref();
    }
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
