// What the config blob says about a weights file. How the facts are read is injected, so that the store knows no format.

export interface WeightsFacts {
  /** `gguf`. */
  readonly format: string;
  /** Architecture as the file names it: `llama`, `qwen2`, `clip` for a projector. */
  readonly family: string;
  readonly parameterCount: number;
  /** File type label such as `Q4_1`. */
  readonly fileType: string;
  readonly contextLength?: number;
  readonly embeddingLength?: number;
}

/** Throws TarsError (FILE_INVALID, FILE_TRUNCATED, FORMAT_UNSUPPORTED, …) for a file that cannot be a model. */
export type DescribeWeights = (filePath: string) => Promise<WeightsFacts>;
