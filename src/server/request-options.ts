// Merges options (defaults < model parameters < request) and types them, with Ollama's texts for a wrong type.
import { TarsError } from '../errors/index.js';
import { deprecatedParameters, parameterTypes } from '../registry/index.js';
import type { LoadOptions } from '../runners/index.js';
import { defaultSamplingOptions, type SamplingOptions } from '../sampling/index.js';

export interface RequestOptions {
  readonly load: LoadOptions;
  readonly sampling: SamplingOptions;
  readonly stop: readonly string[];
  /** -1 means until the model stops. */
  readonly numPredict: number;
  readonly numKeep: number;
}

type OptionMap = Readonly<Record<string, unknown>>;

const defaultNumKeep = 4;

function invalid(name: string, expected: string): TarsError {
  return new TarsError('OPTION_INVALID', { name, expected });
}

/** One value in the type of its option. Integers may come as floats and lose their fraction. */
function typedOption(name: string, value: unknown): number | boolean | readonly string[] {
  const type = parameterTypes[name];
  switch (type) {
    case 'int':
    case 'float':
      if (typeof value !== 'number') {
        throw invalid(name, `of type ${type === 'int' ? 'integer' : 'float32'}`);
      }
      return type === 'int' ? Math.trunc(value) : value;
    case 'bool':
      if (typeof value !== 'boolean') {
        throw invalid(name, 'of type boolean');
      }
      return value;
    case 'strings':
    case undefined:
      return stringList(name, value);
    default:
      return type satisfies never;
  }
}

/** A single string counts as a list of one, because several clients send `stop` that way. */
function stringList(name: string, value: unknown): readonly string[] {
  if (typeof value === 'string') {
    return [value];
  }
  if (!Array.isArray(value)) {
    throw invalid(name, 'of type array');
  }
  if (!value.every((item): item is string => typeof item === 'string')) {
    throw invalid(name, 'of an array of strings');
  }
  return value;
}

/** Typed options by wire name; a later map wins, null is skipped, an unknown name is reported and left out. */
function mergeMaps(maps: readonly OptionMap[], onUnknown: (name: string) => void): Map<string, ReturnType<typeof typedOption>> {
  const merged = new Map<string, ReturnType<typeof typedOption>>();
  for (const map of maps) {
    for (const [name, value] of Object.entries(map)) {
      if (value === null || value === undefined) {
        continue;
      }
      if (Object.hasOwn(parameterTypes, name)) {
        merged.set(name, typedOption(name, value));
      } else if (!deprecatedParameters.includes(name)) {
        onUnknown(name);
      }
    }
  }
  return merged;
}

/** Throws OPTION_INVALID (status 500, as in Ollama) for a value of the wrong type, wherever it comes from. */
export function mergeOptions(
  parameters: OptionMap,
  requested: OptionMap,
  onUnknown: (name: string) => void = () => undefined,
): RequestOptions {
  const merged = mergeMaps([parameters, requested], onUnknown);
  const number = (name: string): number | undefined => {
    const value = merged.get(name);
    return typeof value === 'number' ? value : undefined;
  };
  const stop = merged.get('stop');
  const defaults = defaultSamplingOptions;
  return {
    load: {
      numCtx: number('num_ctx'),
      numBatch: number('num_batch'),
      numThread: number('num_thread'),
      numGpu: number('num_gpu'),
    },
    sampling: {
      temperature: number('temperature') ?? defaults.temperature,
      topK: number('top_k') ?? defaults.topK,
      topP: number('top_p') ?? defaults.topP,
      minP: number('min_p') ?? defaults.minP,
      typicalP: number('typical_p') ?? defaults.typicalP,
      repeatPenalty: number('repeat_penalty') ?? defaults.repeatPenalty,
      presencePenalty: number('presence_penalty') ?? defaults.presencePenalty,
      frequencyPenalty: number('frequency_penalty') ?? defaults.frequencyPenalty,
      repeatLastN: number('repeat_last_n') ?? defaults.repeatLastN,
      seed: number('seed') ?? defaults.seed,
    },
    stop: Array.isArray(stop) ? stop : [],
    numPredict: number('num_predict') ?? -1,
    numKeep: number('num_keep') ?? defaultNumKeep,
  };
}
