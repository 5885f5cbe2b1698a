// Reads single variables of an environment. A value that Ollama would overlook falls back to its default with a warning.
import { TarsError } from '../errors/index.js';
import type { ConfigVariableName } from './table.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const trueWords = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const falseWords = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** Go's ParseBool; undefined for any other word. */
export function parseGoBool(text: string): boolean | undefined {
  if (trueWords.has(text)) {
    return true;
  }
  return falseWords.has(text) ? false : undefined;
}

export class EnvironmentReader {
  readonly warnings: string[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Value without the spaces and quotes around it; empty when the variable is not set. */
  text(name: ConfigVariableName | 'HOME' | 'USERPROFILE' | 'XDG_CACHE_HOME'): string {
    return (this.#environment[name] ?? '').trim().replace(/^["']+|["']+$/g, '');
  }

  /** Any non-empty word that is not a boolean counts as true, as in Ollama. */
  flag(name: ConfigVariableName): boolean {
    const text = this.text(name);
    return text !== '' && (parseGoBool(text) ?? true);
  }

  /** Whole number from 0; anything else gives the default and a warning. */
  count(name: ConfigVariableName, fallback: number): number {
    const text = this.text(name);
    if (text === '') {
      return fallback;
    }
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
      this.warnings.push(`${name}: invalid number ${JSON.stringify(text)}, using ${fallback}`);
      return fallback;
    }
    return value;
  }

  /** One of the allowed words. Throws CONFIG_INVALID: a mistyped choice must not silently run something else. */
  choice<T extends string>(name: ConfigVariableName, allowed: readonly T[], fallback: T): T {
    const text = this.text(name).toLowerCase();
    if (text === '') {
      return fallback;
    }
    const found = allowed.find((word) => word === text);
    if (found === undefined) {
      throw new TarsError('CONFIG_INVALID', {
        name,
        reason: `${JSON.stringify(text)} is not one of ${allowed.join(', ')}`,
      });
    }
    return found;
  }
}
