// The interactive prompt: lines in, commands and messages out. `"""` begins and ends a message of several lines.
import { createInterface, type Interface } from 'node:readline';
import { errorMessage } from '../../errors/index.js';
import type { CliContext } from '../context.js';
import type { ChatSession } from './chat-session.js';
import { HistoryFile } from './history-file.js';
import { SlashCommands } from './slash-commands.js';

const prompt = '>>> ';
const continuationPrompt = '... ';
const placeholder = 'Send a message (/? for help)';

/** Joins the lines between `"""` and `"""`; anything else is complete by itself. */
export class MultilineReader {
  #lines: string[] | undefined;

  get isOpen(): boolean {
    return this.#lines !== undefined;
  }

  /** The whole message, or undefined while more lines are to come. */
  push(line: string): string | undefined {
    if (this.#lines === undefined) {
      const opening = /^(\s*\/set\s+system\s+)?\s*"""/.exec(line);
      if (opening === null) {
        return line;
      }
      const rest = line.slice(opening[0].length);
      const command = opening[1] ?? '';
      const end = rest.indexOf('"""');
      if (end >= 0) {
        return command + rest.slice(0, end);
      }
      this.#lines = [command + rest];
      return undefined;
    }
    const end = line.indexOf('"""');
    this.#lines.push(end < 0 ? line : line.slice(0, end));
    if (end < 0) {
      return undefined;
    }
    const message = this.#lines.join('\n');
    this.#lines = undefined;
    return message.replace(/^\n/, '');
  }

  reset(): void {
    this.#lines = undefined;
  }
}

/** Reads lines until /bye or the end of the input. Failures of single requests are printed and do not end it. */
export async function runRepl(context: CliContext, session: ChatSession): Promise<void> {
  const { terminal, config } = context;
  const history = new HistoryFile(config.historyFile, !config.isHistoryDisabled);
  const commands = new SlashCommands(context, session, history);
  const reader = new MultilineReader();
  const lines = createInterface({
    input: terminal.stdin,
    output: terminal.stdout as NodeJS.WritableStream,
    terminal: terminal.stdin.isTTY === true && terminal.stdout.isTTY === true,
    history: [...history.lines()].reverse(),
    prompt,
  });
  lines.on('SIGINT', () => {
    reader.reset();
    terminal.stdout.write(lines.line === '' ? '\nUse Ctrl + d or /bye to exit.\n' : '\n');
    lines.write(null, { ctrl: true, name: 'e' });
    lines.write(null, { ctrl: true, name: 'u' });
    showPrompt(context, lines, reader);
  });
  try {
    showPrompt(context, lines, reader);
    for await (const line of lines) {
      history.add(line);
      const message = reader.push(line);
      if (message !== undefined && message.trim() !== '') {
        // In raw mode Ctrl-C is a key press; out of it, it is the signal that interrupts the answer.
        lines.pause();
        terminal.stdin.setRawMode?.(false);
        const isDone = await answer(context, session, commands, message);
        if (isDone) {
          return;
        }
        terminal.stdin.setRawMode?.(true);
        lines.resume();
      }
      showPrompt(context, lines, reader);
    }
    terminal.stdout.write('\n');
  } finally {
    lines.close();
  }
}

/** True when the session is over. */
async function answer(context: CliContext, session: ChatSession, commands: SlashCommands, message: string): Promise<boolean> {
  try {
    if (message.startsWith('/')) {
      return (await commands.run(message)) === 'exit';
    }
    await session.send(message);
  } catch (error) {
    context.terminal.stderr.write(`Error: ${errorMessage(error)}\n`);
  }
  return false;
}

function showPrompt({ terminal }: CliContext, lines: Interface, reader: MultilineReader): void {
  lines.setPrompt(reader.isOpen ? continuationPrompt : prompt);
  lines.prompt();
  if (terminal.stdin.isTTY !== true || terminal.stdout.isTTY !== true || reader.isOpen) {
    return;
  }
  terminal.stdout.write(`\x1b[90m${placeholder}\x1b[0m\x1b[${placeholder.length}D`);
  // The first key clears the placeholder before readline writes the character.
  terminal.stdin.prependOnceListener('keypress', () => terminal.stdout.write('\x1b[K'));
}
