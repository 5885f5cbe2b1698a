import { untilInterrupted, type CliContext } from '../context.js';
import type { GenerateLine } from '../wire.js';
import { AnswerPrinter, formatMetrics } from './answer-printer.js';
import type { ChatSettings } from './settings.js';

/** Answers one prompt on stdout. Ctrl-C ends the answer; what came before it stays printed. */
export async function runOneShot(context: CliContext, settings: ChatSettings, prompt: string): Promise<void> {
  const { client, terminal } = context;
  const printer = new AnswerPrinter(terminal.stdout, settings);
  const { model, format, think, keepAlive, system, options } = settings;
  const request = { model, prompt, system: system || undefined, options, format, think, keep_alive: keepAlive };
  let last: GenerateLine = {};
  await untilInterrupted(context.signals, async (signal) => {
    for await (const line of client.stream<GenerateLine>('/api/generate', request, signal)) {
      printer.push({ thinking: line.thinking, text: line.response });
      last = line;
    }
  });
  printer.finish();
  if (prompt !== '') {
    terminal.stdout.write('\n\n');
  }
  if (settings.isVerbose && last.done === true) {
    terminal.stderr.write(formatMetrics(last));
  }
}

/** Prints the embedding of a text as one JSON array. */
export async function runEmbedding(
  { client, terminal }: CliContext,
  settings: ChatSettings,
  input: string,
  flags: { readonly truncate?: boolean; readonly dimensions?: number },
): Promise<void> {
  if (input === '') {
    throw new Error(`embedding models require input text. Usage: tars run ${settings.model} "your text here"`);
  }
  const { embeddings } = await client.post<{ embeddings: readonly (readonly number[])[] }>('/api/embed', {
    model: settings.model,
    input,
    keep_alive: settings.keepAlive,
    truncate: flags.truncate,
    dimensions: flags.dimensions,
  });
  const [embedding] = embeddings;
  if (embedding === undefined) {
    throw new Error('no embeddings returned');
  }
  terminal.stdout.write(`${JSON.stringify(embedding)}\n`);
}
