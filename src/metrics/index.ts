export { Metrics, RequestMetrics, type FinishReason, type LoadedModelSample } from './metrics.js';
