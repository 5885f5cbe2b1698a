/** What Go's parser or executor says, word for word where clients can see it. */
export class GoTemplateError extends Error {
  override readonly name = 'GoTemplateError';
}

export function lineOf(source: string, position: number): number {
  return source.slice(0, position).split('\n').length;
}

/** `template: NAME:LINE: message`, as Go's parser words it; Ollama's templates have an empty name. */
export function parseError(source: string, position: number, message: string): GoTemplateError {
  return new GoTemplateError(`template: :${lineOf(source, position)}: ${message}`);
}

/** `template: NAME:LINE:COLUMN: executing NAME at <TEXT>: message`. */
export function executionError(source: string, position: number, text: string, message: string): GoTemplateError {
  const column = position - (source.lastIndexOf('\n', position - 1) + 1);
  const shown = text.length > 20 ? `${text.slice(0, 20)}...` : text;
  return new GoTemplateError(`template: :${lineOf(source, position)}:${column}: executing "" at <${shown}>: ${message}`);
}
