/** Per-request sampling options under Ollama's names (camelCase here); see docs of `/api/generate`. */
export interface SamplingOptions {
  /** 0 means greedy. */
  readonly temperature: number;
  /** Keep the k best tokens; 0 or less means all. */
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly typicalP: number;
  readonly repeatPenalty: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  /** How many of the latest tokens the penalties look at: 0 none, -1 the whole context. */
  readonly repeatLastN: number;
  /** -1 means a random seed. */
  readonly seed: number;
}

/** Ollama's defaults (reference: `/api/generate` options). */
export const defaultSamplingOptions: SamplingOptions = {
  temperature: 0.8,
  topK: 40,
  topP: 0.9,
  minP: 0,
  typicalP: 1,
  repeatPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  repeatLastN: 64,
  seed: -1,
};
