import type { CliContext } from '../context.js';
import { formatTable, humanBytes, humanTime } from '../format.js';
import type { ListedModel } from '../wire.js';

/** Prints the stored models whose name begins with the prefix, whatever its case. */
export async function list({ client, terminal }: CliContext, prefix = ''): Promise<void> {
  const { models } = await client.get<{ models: readonly ListedModel[] }>('/api/tags');
  const rows = models
    .filter((model) => model.name.toLowerCase().startsWith(prefix.toLowerCase()))
    .map((model) => [
      model.name,
      model.digest.slice(0, 12),
      model.remote_model === undefined ? humanBytes(model.size) : '-',
      humanTime(model.modified_at, Date.now()),
    ]);
  terminal.stdout.write(formatTable(['NAME', 'ID', 'SIZE', 'MODIFIED'], rows));
}
