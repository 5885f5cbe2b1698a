// The commands that change one stored or loaded model and print at most one line.
import { ApiError } from '../api-client.js';
import type { CliContext } from '../context.js';

const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

/** Asks the server to unload a model. */
async function unload({ client }: CliContext, model: string): Promise<void> {
  await client.post('/api/generate', { model, keep_alive: 0, stream: false });
}

export async function stop(context: CliContext, model: string): Promise<void> {
  try {
    await unload(context, model);
  } catch (error) {
    if (isNotFound(error)) {
      throw new Error(`couldn't find model ${JSON.stringify(model)} to stop`, { cause: error });
    }
    throw error;
  }
}

/** Deletes each model, after unloading it. */
export async function rm(context: CliContext, models: readonly string[]): Promise<void> {
  for (const model of models) {
    await unload(context, model).catch((error: unknown) => {
      if (!isNotFound(error)) {
        throw error;
      }
    });
    await context.client.delete('/api/delete', { model, name: model });
    context.terminal.stdout.write(`deleted '${model}'\n`);
  }
}

export async function cp({ client, terminal }: CliContext, source: string, destination: string): Promise<void> {
  await client.post('/api/copy', { source, destination });
  terminal.stdout.write(`copied '${source}' to '${destination}'\n`);
}
