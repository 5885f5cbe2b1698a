// Differences between model families. What they share is in ../blocks/.
import { TarsError } from '../../errors/index.js';

export interface ArchitectureTraits {
  /** RMS norm over each head of q and k, before rotary. */
  readonly hasQkNorm: boolean;
}

const architectures: Readonly<Record<string, ArchitectureTraits>> = {
  llama: { hasQkNorm: false },
  // Biases on q, k and v need no trait: a linear layer has a bias when the file has one.
  qwen2: { hasQkNorm: false },
  qwen3: { hasQkNorm: true },
};

export const supportedArchitectures: readonly string[] = Object.keys(architectures);

export function architectureOf(name: string): ArchitectureTraits {
  const traits = architectures[name];
  if (traits === undefined) {
    throw new TarsError('ARCHITECTURE_UNSUPPORTED', {
      file: 'model',
      architecture: name,
      supported: supportedArchitectures.join(', '),
    });
  }
  return traits;
}
