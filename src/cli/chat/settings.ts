// What a run sends with each request, from flags first and from slash commands later.

export type ThinkValue = boolean | string;

export interface ChatSettings {
  model: string;
  /** `json`, a JSON schema, or undefined for free text. */
  format: unknown;
  /** undefined leaves the choice to the server. */
  think: ThinkValue | undefined;
  keepAlive: string | number | undefined;
  system: string;
  options: Record<string, unknown>;
  isVerbose: boolean;
  isWordWrapped: boolean;
  isThinkingHidden: boolean;
}

const thinkLevels = new Set(['high', 'medium', 'low', 'max']);

/** Value of `--think` and of `/set think`. Throws Ollama's text for anything else. */
export function parseThink(text: string): ThinkValue {
  if (text === 'true' || text === '') {
    return true;
  }
  if (text === 'false') {
    return false;
  }
  if (thinkLevels.has(text)) {
    return text;
  }
  throw new Error(`invalid value for --think: ${JSON.stringify(text)} (must be true, false, high, medium, low, or max)`);
}

/** Value of `--format`: the word `json`, or a JSON schema. */
export function parseFormat(text: string): unknown {
  if (text === '' || text === 'json') {
    return text === '' ? undefined : 'json';
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`invalid format: ${JSON.stringify(text)}; expected "json" or a valid JSON Schema object`, { cause: error });
  }
}
