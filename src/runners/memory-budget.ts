import { readFileSync } from 'node:fs';
import os from 'node:os';

/** Share of the memory that models may take; the rest is for the server, the page cache and other programs. */
const usableShare = 0.8;

/** Bytes that this process may use: the machine's memory, or the control group's limit when that is lower. */
export function totalMemoryBytes(): number {
  return Math.min(os.totalmem(), ...['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'].map(readLimit));
}

/** Bytes for all loaded models together: the operator's own limit, else a share of what there is. */
export function modelBudgetBytes(configured: number | undefined): number {
  return configured ?? Math.floor(totalMemoryBytes() * usableShare);
}

function readLimit(file: string): number {
  try {
    const value = Number(readFileSync(file, 'utf8').trim());
    return Number.isFinite(value) && value > 0 ? value : Infinity;
  } catch {
    return Infinity;
  }
}
