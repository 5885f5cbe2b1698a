import type { CliContext } from '../context.js';
import { formatTable, humanBytes, humanTime } from '../format.js';
import type { RunningModel } from '../wire.js';

/** Where a model lies: `100% CPU`, `25%/75% CPU/GPU`. */
export function processorText(sizeBytes: number, vramBytes: number): string {
  if (vramBytes === 0) {
    return '100% CPU';
  }
  if (vramBytes === sizeBytes) {
    return '100% GPU';
  }
  if (vramBytes > sizeBytes || sizeBytes === 0) {
    return 'Unknown';
  }
  const cpuPercent = Math.round((100 * (sizeBytes - vramBytes)) / sizeBytes);
  return `${cpuPercent}%/${100 - cpuPercent}% CPU/GPU`;
}

/** Prints the loaded models whose name begins with the prefix. */
export async function ps({ client, terminal }: CliContext, prefix = ''): Promise<void> {
  const { models } = await client.get<{ models: readonly RunningModel[] }>('/api/ps');
  const nowMs = Date.now();
  const rows = models
    .filter((model) => model.name.startsWith(prefix))
    .map((model) => [
      model.name,
      model.digest.slice(0, 12),
      humanBytes(model.size),
      processorText(model.size, model.size_vram),
      String(model.context_length ?? 0),
      Date.parse(model.expires_at) < nowMs ? 'Stopping...' : humanTime(model.expires_at, nowMs),
    ]);
  terminal.stdout.write(formatTable(['NAME', 'ID', 'SIZE', 'PROCESSOR', 'CONTEXT', 'UNTIL'], rows));
}
