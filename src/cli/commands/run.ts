import { formatGoDuration, parseGoDuration } from '../../config/index.js';
import { ChatSession } from '../chat/chat-session.js';
import { runEmbedding, runOneShot } from '../chat/one-shot.js';
import { runRepl } from '../chat/repl.js';
import { parseFormat, parseThink, type ChatSettings } from '../chat/settings.js';
import type { CliContext, Terminal } from '../context.js';
import type { ShowAnswer } from '../wire.js';

export interface RunFlags {
  readonly keepalive?: string;
  readonly verbose?: boolean;
  readonly nowordwrap?: boolean;
  readonly format?: string;
  readonly think?: string;
  readonly hidethinking?: boolean;
  readonly truncate?: boolean;
  readonly dimensions?: string;
}

/** Answers one prompt when there is one (arguments, piped stdin, or stdout is no terminal), else opens the prompt. */
export async function run(context: CliContext, model: string, words: readonly string[], flags: RunFlags): Promise<void> {
  const settings = settingsOf(model, flags);
  const { terminal, client } = context;
  const isPiped = terminal.stdin.isTTY !== true;
  const pieces = isPiped ? [await readAll(terminal), ...words] : words;
  const prompt = pieces.filter((piece) => piece !== '').join(' ');
  const answer = await client.post<ShowAnswer>('/api/show', { model });
  const capabilities = answer.capabilities ?? [];
  if (flags.think === undefined && capabilities.includes('thinking')) {
    settings.think = true;
  }
  if (capabilities.includes('embedding') && !capabilities.includes('completion')) {
    const dimensions = flags.dimensions === undefined ? undefined : Number(flags.dimensions);
    await runEmbedding(context, settings, prompt, { truncate: flags.truncate, dimensions });
    return;
  }
  if (isPiped || prompt !== '' || terminal.stdout.isTTY !== true) {
    await runOneShot(context, settings, prompt);
    return;
  }
  const session = new ChatSession(context, settings, answer.messages);
  await session.load(model);
  for (const message of answer.messages ?? []) {
    terminal.stdout.write(message.role === 'user' ? `>>> ${message.content}\n` : `${message.content}\n\n`);
  }
  await runRepl(context, session);
}

function settingsOf(model: string, flags: RunFlags): ChatSettings {
  return {
    model,
    format: parseFormat(flags.format ?? ''),
    think: flags.think === undefined ? undefined : parseThink(flags.think),
    keepAlive: keepAliveOf(flags.keepalive),
    system: '',
    options: {},
    isVerbose: flags.verbose === true,
    isWordWrapped: flags.nowordwrap !== true,
    isThinkingHidden: flags.hidethinking === true,
  };
}

/** Go duration for the wire; any negative one means for ever. */
function keepAliveOf(text: string | undefined): string | number | undefined {
  if (text === undefined || text === '') {
    return undefined;
  }
  const milliseconds = parseGoDuration(text);
  return milliseconds < 0 ? -1 : formatGoDuration(milliseconds);
}

async function readAll({ stdin }: Terminal): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin as AsyncIterable<Buffer | string>) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString('utf8');
}
