import path from 'node:path';
import type { Config } from '../config/index.js';
import { usableCores } from './cpu-quota.js';
import { modelBudgetBytes } from './memory-budget.js';
import type { EngineSettings } from './protocol.js';
import type { LoadOptions, RunnableModel } from './types.js';

/** Ollama's default context on a machine without a large GPU. */
const defaultContextLength = 4096;
const minContextLength = 4;
const defaultStepTokens = 512;

/** Stops a request from sizing a step's activations and buffers beyond reason; larger steps bring no speed. */
const maxStepTokens = 2048;

/** Stops a request from starting thousands of threads; a few times the cores is already slower than one each. */
const maxThreadsPerCore = 4;

// Sequences are cheap: they take cache blocks only as they grow, and a step's cost hardly rises up to a few tens of them.
const automaticMaxSequences = 32;

/** Full contexts that the cache holds when OLLAMA_NUM_PARALLEL is not set; more and shorter sequences share them. */
const automaticCacheContexts = 4;

/** Share of the memory budget that one model's cache may take. */
const cacheShare = 0.25;

export function packageFolder(config: Config): string {
  return path.join(config.cacheDirectory, 'packages');
}

/** Settings of an engine process from the server's configuration and a request's load options. */
export function engineSettings(config: Config, model: RunnableModel, options: LoadOptions): EngineSettings {
  const budget = modelBudgetBytes(config.maxMemoryBytes || undefined);
  return {
    weightsPath: model.weightsPath,
    weightsDigest: model.weightsDigest,
    packageFolder: packageFolder(config),
    recipe: 'exact',
    contextLength: Math.max(minContextLength, options.numCtx ?? (config.contextLength || defaultContextLength)),
    stepTokens: stepTokens(options),
    maxSequences: config.numParallel || automaticMaxSequences,
    cacheContexts: config.numParallel || automaticCacheContexts,
    cacheType: config.kvCacheType === 'f16' ? 'float16' : config.kvCacheType,
    maxCacheBytes: Math.floor(budget * cacheShare),
    numThreads: threadsOf(config, options),
    ...(config.nativeLibrary === undefined ? {} : { operatorLibrary: config.nativeLibrary }),
  };
}

function stepTokens({ numBatch = 0 }: LoadOptions): number {
  return numBatch > 0 ? Math.min(numBatch, maxStepTokens) : defaultStepTokens;
}

function threadsOf(config: Config, { numThread = 0 }: LoadOptions): number {
  return numThread > 0 ? Math.min(numThread, maxThreadsPerCore * usableCores()) : config.numThreads || usableCores();
}

/** Whether a model loaded with `loaded` serves a request with `wanted`; a context and a batch left automatic match anything. */
export function settingsMatch(config: Config, loaded: EngineSettings, wanted: LoadOptions, loadedContextLength: number): boolean {
  const contextFits =
    wanted.numCtx === undefined ||
    wanted.numCtx === loaded.contextLength ||
    // A wish beyond what the model was trained for was clamped when it was loaded.
    Math.max(minContextLength, wanted.numCtx) === loadedContextLength ||
    (wanted.numCtx > loadedContextLength && loaded.contextLength > loadedContextLength);
  const batchFits = wanted.numBatch === undefined || stepTokens(wanted) === loaded.stepTokens;
  const threadsFit = threadsOf(config, wanted) === loaded.numThreads;
  return contextFits && batchFits && threadsFit;
}
