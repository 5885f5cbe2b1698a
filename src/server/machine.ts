import type { Config } from '../config/index.js';
import { modelBudgetBytes, usableCores } from '../runners/index.js';

export interface MachineFacts {
  /** Threads of one model. */
  readonly numThreads: number;
  /** Most bytes that all loaded models may take together. */
  readonly memoryBytes: number;
}

/** What models may use of this machine, by its own limits and the configuration's. */
export function describeMachine(config: Config): MachineFacts {
  return {
    numThreads: config.numThreads || usableCores(),
    memoryBytes: modelBudgetBytes(config.maxMemoryBytes || undefined),
  };
}
