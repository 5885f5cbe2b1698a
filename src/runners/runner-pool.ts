// Which models are loaded: loads one at a time, shares, keeps alive, evicts to make room, and forgets engines that died.
import { statSync } from 'node:fs';
import type { Config } from '../config/index.js';
import { kvBytesPerToken, type EngineStats } from '../engine/index.js';
import { TarsError, errorMessage } from '../errors/index.js';
import { openGguf } from '../formats/index.js';
import type { Logger } from '../log/index.js';
import { usableCacheType } from '../quant/index.js';
import { EngineConnection } from './engine-connection.js';
import { chooseEviction } from './eviction.js';
import { modelBudgetBytes } from './memory-budget.js';
import type { EngineReady, EngineSettings, LoadProgress } from './protocol.js';
import { Runner, maxTimerMs } from './runner.js';
import { removePackages } from './package-store.js';
import { engineSettings, packageFolder, settingsMatch } from './settings.js';
import type { LoadOptions, LoadedModel, RunnableModel, RunnerLease, RunnerPool } from './types.js';

/** Ollama's limit for a machine without a GPU. */
const automaticMaxLoadedModels = 3;

export interface PoolDependencies {
  readonly config: Config;
  readonly logger: Logger;
  /** Figures of every engine step, for metrics. */
  readonly onStats?: (model: RunnableModel, stats: EngineStats) => void;
  readonly nowMs?: () => number;
}

export function createRunnerPool(dependencies: PoolDependencies): RunnerPool {
  return new ProcessRunnerPool(dependencies);
}

class ProcessRunnerPool implements RunnerPool {
  readonly #config: Config;
  readonly #logger: Logger;
  readonly #onStats: (model: RunnableModel, stats: EngineStats) => void;
  readonly #nowMs: () => number;
  /** By digest of the weights: names that share weights share a runner. */
  readonly #runners = new Map<string, Runner>();
  readonly #closing = new Set<Promise<void>>();
  readonly #loading = new Set<EngineConnection>();
  #lastLoad: Promise<unknown> = Promise.resolve();
  #numQueued = 0;
  #isClosed = false;

  constructor({ config, logger, onStats, nowMs }: PoolDependencies) {
    this.#config = config;
    this.#logger = logger;
    this.#onStats = onStats ?? ((): void => undefined);
    this.#nowMs = nowMs ?? Date.now;
  }

  async acquire(
    model: RunnableModel,
    options: LoadOptions,
    keepAliveMs: number | undefined,
    signal: AbortSignal,
  ): Promise<RunnerLease> {
    const startNs = process.hrtime.bigint();
    const elapsedNs = (): number => Number(process.hrtime.bigint() - startNs);
    const present = this.#matching(model, options);
    if (present) {
      return present.lease(elapsedNs(), keepAliveMs);
    }
    if (this.#numQueued >= this.#config.maxQueue) {
      throw new TarsError('SERVER_BUSY');
    }
    this.#numQueued += 1;
    const leased = this.#serialise(async () => {
      const runner = this.#matching(model, options) ?? (await this.#load(model, options, signal));
      return runner.lease(elapsedNs(), keepAliveMs);
    }).finally(() => {
      this.#numQueued -= 1;
    });
    return untilAborted(leased, signal);
  }

  unload(model: RunnableModel): void {
    this.#runners.get(model.weightsDigest)?.expireSoon();
  }

  forget(model: RunnableModel): void {
    removePackages(packageFolder(this.#config), model.weightsDigest);
  }

  list(): readonly LoadedModel[] {
    return [...this.#runners.values()].map((runner) => runner.describe()).sort((a, b) => b.expiresAtMs - a.expiresAtMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#loading.forEach((connection) => connection.kill());
    await this.#lastLoad;
    for (const runner of this.#runners.values()) {
      this.#remove(runner);
    }
    await Promise.all(this.#closing);
  }

  #matching(model: RunnableModel, options: LoadOptions): Runner | undefined {
    const runner = this.#runners.get(model.weightsDigest);
    const isServing = runner !== undefined && !runner.isRetiring;
    return isServing && settingsMatch(this.#config, runner.settings, options, runner.ready.contextLength) ? runner : undefined;
  }

  /** One load at a time, in order of arrival. */
  #serialise<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#lastLoad.then(task, task);
    this.#lastLoad = result.catch(() => undefined);
    return result;
  }

  async #load(model: RunnableModel, options: LoadOptions, signal: AbortSignal): Promise<Runner> {
    const throwIfGivenUp = (): void => {
      if (signal.aborted || this.#isClosed) {
        throw cancellation(signal);
      }
    };
    throwIfGivenUp();
    if (this.#config.provider === 'cuda' || this.#config.provider === 'webgpu') {
      throw new TarsError('PROVIDER_UNAVAILABLE', {
        provider: this.#config.provider,
        reason: 'this version serves models on the CPU; unset TARS_PROVIDER',
      });
    }
    const settings = engineSettings(this.#config, model, options);
    const outdated = this.#runners.get(model.weightsDigest);
    if (outdated) {
      await this.#evict(outdated);
      throwIfGivenUp();
    }
    await this.#makeRoom(model, settings);
    throwIfGivenUp();
    const startMs = this.#nowMs();
    this.#logger.info({ model: model.displayName, contextLength: settings.contextLength }, 'loading model');
    const { connection, ready } = await this.#start(model, settings);
    const runner = new Runner(model, settings, connection, ready, {
      keepAliveMs: this.#config.keepAliveMs,
      onExpire: (expired) => this.#remove(expired),
      nowMs: this.#nowMs,
    });
    this.#runners.set(model.weightsDigest, runner);
    this.#logger.info({ model: model.displayName, loadMs: this.#nowMs() - startMs, ...ready }, 'model loaded');
    return runner;
  }

  async #start(model: RunnableModel, settings: EngineSettings): Promise<{ connection: EngineConnection; ready: EngineReady }> {
    const connection = new EngineConnection({
      onDeath: (error) => this.#forgetDead(model, connection, error),
      onStats: (stats) => this.#onStats(model, stats),
    });
    this.#loading.add(connection);
    const watchdog = new LoadWatchdog(model, this.#config.loadTimeoutMs);
    try {
      const ready = await Promise.race([connection.load(settings, (progress) => watchdog.progress(progress)), watchdog.stalled]);
      return { connection, ready };
    } catch (error) {
      connection.kill();
      this.#logger.error({ model: model.displayName, reason: errorMessage(error) }, 'model could not be loaded');
      throw error;
    } finally {
      watchdog.stop();
      this.#loading.delete(connection);
    }
  }

  async #makeRoom(model: RunnableModel, settings: EngineSettings): Promise<void> {
    // Memory of engines that are on their way out is not free yet.
    await Promise.all(this.#closing);
    const needed = neededBytes(model, settings);
    const budget = modelBudgetBytes(this.#config.maxMemoryBytes || undefined);
    const maxModels = this.#config.maxLoadedModels || automaticMaxLoadedModels;
    if (needed > budget) {
      throw new TarsError('OUT_OF_MEMORY', { needed: gibibytes(needed), available: gibibytes(budget) });
    }
    for (;;) {
      const runners = [...this.#runners.values()];
      const used = runners.reduce((sum, runner) => sum + runner.sizeBytes, 0);
      if (runners.length < maxModels && used + needed <= budget) {
        return;
      }
      const choice = chooseEviction(
        runners.map(({ model: loaded, keepAliveMs, isIdle }) => ({ key: loaded.weightsDigest, keepAliveMs, isIdle })),
      );
      const evicted = choice && this.#runners.get(choice.key);
      if (!evicted) {
        return;
      }
      await this.#evict(evicted);
    }
  }

  /** Waits for the requests that hold a runner, then ends it and waits until its memory is back. Newcomers wait meanwhile. */
  async #evict(runner: Runner): Promise<void> {
    runner.isRetiring = true;
    await runner.idle();
    this.#remove(runner);
    await Promise.all(this.#closing);
  }

  #remove(runner: Runner): void {
    if (this.#runners.get(runner.model.weightsDigest) !== runner) {
      return;
    }
    this.#runners.delete(runner.model.weightsDigest);
    this.#logger.info({ model: runner.model.displayName }, 'model unloaded');
    const closed = runner.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  #forgetDead(model: RunnableModel, connection: EngineConnection, error: TarsError): void {
    const runner = this.#runners.get(model.weightsDigest);
    if (runner?.isServedBy(connection)) {
      this.#runners.delete(model.weightsDigest);
    }
    this.#logger.error({ model: model.displayName, reason: error.message }, 'engine process ended unexpectedly');
  }
}

/** Rejects when a load makes no progress for too long. */
class LoadWatchdog {
  readonly stalled: Promise<never>;
  readonly #timeoutMs: number;
  #reject: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(model: RunnableModel, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.stalled = new Promise((_, reject) => {
      this.#reject = (): void =>
        reject(new TarsError('LOAD_TIMEOUT', { model: model.displayName, seconds: Math.round(timeoutMs / 1000) }));
    });
    // Only the race above listens; a watchdog that was stopped never rejects.
    this.stalled.catch(() => undefined);
    this.#arm();
  }

  progress(_progress: LoadProgress): void {
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (Number.isFinite(this.#timeoutMs)) {
      this.#timer = setTimeout(this.#reject, Math.min(this.#timeoutMs, maxTimerMs));
    }
  }
}

/** The lease, or REQUEST_CANCELED as soon as the signal aborts; a lease that arrives afterwards is released at once. */
function untilAborted(leased: Promise<RunnerLease>, signal: AbortSignal): Promise<RunnerLease> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      leased.then((lease) => lease.release()).catch(() => undefined);
      reject(cancellation(signal));
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    leased
      .then((lease) => {
        if (!signal.aborted) {
          resolve(lease);
        }
      }, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Why a wait was given up: the signal's own reason when it is an error of ours. */
function cancellation(signal: AbortSignal): TarsError {
  const reason: unknown = signal.reason;
  return reason instanceof TarsError ? reason : new TarsError('REQUEST_CANCELED');
}

/** Weights and cache of a model that is about to be loaded. */
function neededBytes(model: RunnableModel, settings: EngineSettings): number {
  const source = openGguf(model.weightsPath);
  try {
    const { hyperParameters } = source;
    const contextLength = Math.min(settings.contextLength, hyperParameters.contextLength);
    const type = usableCacheType(settings.cacheType, hyperParameters.headSize);
    const cache = kvBytesPerToken({ ...hyperParameters, type }) * contextLength;
    return statSync(model.weightsPath).size + cache;
  } finally {
    source.close();
  }
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
