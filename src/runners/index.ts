export { usableCores } from './cpu-quota.js';
export { modelBudgetBytes } from './memory-budget.js';
export { createRunnerPool, type PoolDependencies } from './runner-pool.js';
export type {
  DoneReason,
  GenerationEvent,
  GenerationRequest,
  GenerationStats,
  LoadOptions,
  LoadedModel,
  RunnableModel,
  RunnerLease,
  RunnerPool,
  TokenLogprob,
} from './types.js';
