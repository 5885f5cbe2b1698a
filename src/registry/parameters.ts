// PARAMETER values: which names exist, their types, and how `show` prints them.
import { TarsError } from '../errors/index.js';

type ParameterType = 'int' | 'float' | 'bool' | 'strings';

/** Every option that a Modelfile or a request may set, under its wire name. */
export const parameterTypes: Readonly<Record<string, ParameterType>> = {
  num_ctx: 'int',
  num_batch: 'int',
  num_gpu: 'int',
  main_gpu: 'int',
  use_mmap: 'bool',
  num_thread: 'int',
  draft_num_predict: 'int',
  num_keep: 'int',
  seed: 'int',
  num_predict: 'int',
  top_k: 'int',
  top_p: 'float',
  min_p: 'float',
  typical_p: 'float',
  repeat_last_n: 'int',
  temperature: 'float',
  repeat_penalty: 'float',
  presence_penalty: 'float',
  frequency_penalty: 'float',
  stop: 'strings',
};

/** Options of old Ollama versions: accepted with a warning and left out. */
export const deprecatedParameters: readonly string[] = [
  'penalize_newline',
  'low_vram',
  'f16_kv',
  'logits_all',
  'vocab_only',
  'use_mlock',
  'mirostat',
  'mirostat_tau',
  'mirostat_eta',
];

const boolWords: Readonly<Record<string, boolean>> = {
  '1': true,
  t: true,
  T: true,
  true: true,
  TRUE: true,
  True: true,
  '0': false,
  f: false,
  F: false,
  false: false,
  FALSE: false,
  False: false,
};

function badValue(type: string, values: readonly string[]): TarsError {
  return new TarsError('BAD_REQUEST', { reason: `invalid ${type} value [${values.join(' ')}]` });
}

/** Typed value of a PARAMETER. Throws BAD_REQUEST `unknown parameter 'k'` or `invalid int value [v]`. */
export function parseParameter(name: string, values: readonly string[]): number | boolean | readonly string[] {
  const type = Object.hasOwn(parameterTypes, name) ? parameterTypes[name] : undefined;
  const first = values[0] ?? '';
  switch (type) {
    case undefined:
      throw new TarsError('BAD_REQUEST', { reason: `unknown parameter '${name}'` });
    case 'int':
      if (!/^[-+]?\d{1,15}$/.test(first)) {
        throw badValue('int', values);
      }
      return Number(first);
    case 'float':
      if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(first) || !Number.isFinite(Number(first))) {
        throw badValue('float', values);
      }
      return Number(first);
    case 'bool': {
      const value = Object.hasOwn(boolWords, first) ? boolWords[first] : undefined;
      if (value === undefined) {
        throw badValue('bool', values);
      }
      return value;
    }
    case 'strings':
      return values;
    default:
      throw new TypeError(`unhandled parameter type ${String(type satisfies never)}`);
  }
}

/** Adds one PARAMETER to a set: a list grows, anything else is replaced. */
export function addParameter(parameters: Record<string, unknown>, name: string, text: string): void {
  const value = parseParameter(name, [text]);
  const previous = parameters[name];
  parameters[name] =
    Array.isArray(value) && Array.isArray(previous) ? [...(previous as unknown[]), ...(value as string[])] : value;
}

/** A number as Go's `%#v` prints a float64: `0.7`, `4096`, `1.048576e+06`. */
function goNumber(value: number): string {
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -4 && exponent < 6) {
    return String(value);
  }
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

function goValue(value: unknown): string {
  return typeof value === 'number' ? goNumber(value) : JSON.stringify(value);
}

/** Name and value pairs in print order; a list gives one pair for each element. */
export function parameterPairs(parameters: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(parameters).flatMap(([name, value]) =>
    Array.isArray(value) ? value.map((element: unknown) => [name, element] as const) : [[name, value] as const],
  );
}

/** The `parameters` text of `/api/show`: one line per value, names padded to 30 columns. */
export function formatParameters(parameters: Readonly<Record<string, unknown>>): string {
  return parameterPairs(parameters)
    .map(([name, value]) => `${name.padEnd(30)} ${goValue(value)}`)
    .join('\n');
}
