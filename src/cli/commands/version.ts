import type { CliContext } from '../context.js';

/** Prints the program's version, and which Ollama release the server answers as. */
export async function version({ client, terminal, version: own }: CliContext): Promise<void> {
  terminal.stdout.write(`tars version is ${own}\n`);
  try {
    const answer = await client.get<{ version: string }>('/api/version');
    terminal.stdout.write(`the server's API version is ${answer.version}\n`);
  } catch {
    terminal.stdout.write('Warning: could not connect to a running tars server\n');
  }
}
