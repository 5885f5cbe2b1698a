import type { GrammarCompiler, TokenConstraint } from '../../sampling/index.js';
import type { GenerationRequest } from '../types.js';

/** The constraint of a request with a format. Thinking that the template opened in the prompt is found at its end. */
export function createConstraint(
  grammars: GrammarCompiler,
  prompt: GenerationRequest['prompt'],
  { grammar, thinking: tags }: NonNullable<GenerationRequest['format']>,
): Promise<TokenConstraint> {
  const isInside = tags !== undefined && typeof prompt === 'string' && prompt.trimEnd().endsWith(tags.open);
  return grammars.constraint(grammar, tags === undefined ? undefined : { ...tags, isInside });
}
