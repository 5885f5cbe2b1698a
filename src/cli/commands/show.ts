import { humanNumber } from '../../registry/index.js';
import type { CliContext } from '../context.js';
import { formatBlock } from '../format.js';
import type { ShowAnswer } from '../wire.js';

const selectors = ['license', 'modelfile', 'parameters', 'system', 'template'] as const;

export type ShowFlags = Readonly<Partial<Record<(typeof selectors)[number] | 'verbose', boolean>>>;

/** Prints one part of a model as it is, or all its facts in blocks. */
export async function show({ client, terminal }: CliContext, model: string, flags: ShowFlags): Promise<void> {
  const chosen = selectors.filter((selector) => flags[selector] === true);
  if (chosen.length > 1) {
    throw new Error("only one of '--license', '--modelfile', '--parameters', '--system', or '--template' can be specified");
  }
  const answer = await client.post<ShowAnswer>('/api/show', { model, name: model, verbose: flags.verbose === true });
  const [selector] = chosen;
  terminal.stdout.write(selector === undefined ? modelFacts(answer, flags.verbose === true) : `${answer[selector] ?? ''}\n`);
}

/** All blocks of a model, in Ollama's order. */
export function modelFacts(answer: ShowAnswer, isVerbose: boolean): string {
  const blocks = [formatBlock('Model', modelRows(answer))];
  const add = (title: string, rows: readonly (readonly string[])[]): void => {
    if (rows.length > 0) {
      blocks.push(formatBlock(title, rows));
    }
  };
  add(
    'Capabilities',
    (answer.capabilities ?? []).map((capability) => [capability]),
  );
  add('Projector', projectorRows(answer.projector_info ?? {}));
  add(
    'Parameters',
    nonBlankLines(answer.parameters).map((line) => parameterRow(line)),
  );
  if (isVerbose) {
    add('Metadata', metadataRows(answer.model_info ?? {}));
    add(
      'Tensors',
      (answer.tensors ?? []).map(({ name, type, shape }) => [name, type, `[${shape.join(' ')}]`]),
    );
  }
  add('System', firstLines(answer.system));
  add('License', firstLines(answer.license));
  return blocks.join('');
}

function modelRows(answer: ShowAnswer): readonly (readonly string[])[] {
  const info = answer.model_info ?? {};
  const architecture = text(info['general.architecture']) ?? answer.details?.family ?? '';
  const count = info['general.parameter_count'];
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Remote model', answer.remote_model],
    ['Remote URL', answer.remote_host],
    ['architecture', architecture],
    ['parameters', answer.details?.parameter_size ?? (typeof count === 'number' ? humanNumber(count) : undefined)],
    ['context length', text(info[`${architecture}.context_length`])],
    ['embedding length', text(info[`${architecture}.embedding_length`])],
    ['quantization', answer.details?.quantization_level],
    ['requires', answer.requires],
  ];
  return rows.flatMap(([label, value]) => (value === undefined || value === '' ? [] : [[label, value]]));
}

function projectorRows(info: Readonly<Record<string, unknown>>): readonly (readonly string[])[] {
  const architecture = text(info['general.architecture']);
  if (architecture === undefined) {
    return [];
  }
  const count = info['general.parameter_count'];
  return [
    ['architecture', architecture],
    ['parameters', typeof count === 'number' ? humanNumber(count) : ''],
    ['embedding length', text(info[`${architecture}.vision.embedding_length`]) ?? ''],
    ['dimensions', text(info[`${architecture}.vision.projection_dim`]) ?? ''],
  ];
}

function metadataRows(info: Readonly<Record<string, unknown>>): readonly (readonly string[])[] {
  return Object.entries(info)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [key, Array.isArray(value) ? arrayText(value) : (text(value) ?? 'null')]);
}

/** The first few elements: a vocabulary has a hundred thousand. */
function arrayText(values: readonly unknown[]): string {
  const numShown = 3;
  const shown = values.slice(0, numShown).map((value) => text(value) ?? 'null');
  return `[${shown.join(', ')}${values.length > numShown ? `, ...+${values.length - numShown} more` : ''}]`;
}

function parameterRow(line: string): readonly string[] {
  const [, name = '', value = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
  return [name, value];
}

function text(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
      return String(value);
    default:
      return undefined;
  }
}

function nonBlankLines(value: string | undefined): readonly string[] {
  return (value ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function firstLines(value: string | undefined): readonly (readonly string[])[] {
  const lines = nonBlankLines(value);
  return (lines.length > 2 ? [...lines.slice(0, 2), '...'] : lines).map((line) => [line]);
}
