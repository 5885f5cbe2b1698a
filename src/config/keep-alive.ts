// How long a model stays loaded after its last request: the `keep_alive` of a request and OLLAMA_KEEP_ALIVE.
import { TarsError } from '../errors/index.js';
import { parseGoDuration } from './duration.js';

/** Go's name of the type of a JSON value, for Ollama's error text. */
function goTypeName(value: unknown): string {
  if (typeof value === 'boolean') {
    return 'bool';
  }
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

/**
 * Milliseconds of a request's `keep_alive`: numbers are seconds, strings Go durations, anything negative means for ever
 * (Infinity). undefined and null mean that the request says nothing. Throws BAD_REQUEST with Ollama's texts.
 */
export function parseKeepAlive(value: unknown): number | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value === 'number') {
    return foreverWhenNegative(value * 1000);
  }
  if (typeof value === 'string') {
    return foreverWhenNegative(parseGoDuration(value));
  }
  throw new TarsError('BAD_REQUEST', { reason: `Unsupported type: '${goTypeName(value)}'` });
}

/** The same for an environment variable, where a bare integer counts seconds; undefined when the text is neither. */
export function parseEnvironmentDuration(text: string): number | undefined {
  if (/^[-+]?\d+$/.test(text)) {
    return Number(text) * 1000;
  }
  try {
    return parseGoDuration(text);
  } catch {
    return undefined;
  }
}

export function foreverWhenNegative(milliseconds: number): number {
  return milliseconds < 0 ? Infinity : milliseconds;
}
