export { BlockPool } from './block-pool.js';
export { Engine, type EngineDependencies, type EngineStats, type StepRunner } from './engine.js';
export { kvBytesPerToken, type KvCacheShape } from './kv-cache.js';
export { ModelRunner, type ModelRunnerLimits } from './model-runner.js';
export { Scheduler, type SchedulerLimits, type StepEntry, type StepPlan } from './scheduler.js';
export { Sequence, type SequenceRequest, type SequenceStats, type StopReason, type TokenScores } from './sequence.js';
export type { TokenBudget } from './token-budget.js';
