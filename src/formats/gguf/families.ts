// What differs between the model families in GGUF: which tensors a layer has and how rotary rows are stored.

export interface Family {
  /**
   * Rows of the query and key projections are stored so that the two elements of a rotated pair are neighbours
   * (llama.cpp's converter permutes them for its interleaved rotary kernel); otherwise a pair is half a head apart.
   */
  readonly hasInterleavedRotary: boolean;
  /** Queries and keys are normalised per head. */
  readonly hasHeadNorms: boolean;
}

const families: ReadonlyMap<string, Family> = new Map([
  ['llama', { hasInterleavedRotary: true, hasHeadNorms: false }],
  ['qwen2', { hasInterleavedRotary: false, hasHeadNorms: false }],
  ['qwen3', { hasInterleavedRotary: false, hasHeadNorms: true }],
]);

/** The family of a `general.architecture`, or undefined when it is not supported. */
export function familyOf(architecture: string): Family | undefined {
  return families.get(architecture);
}

export function familyNames(): string[] {
  return [...families.keys()];
}
