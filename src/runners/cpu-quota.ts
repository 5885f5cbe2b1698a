import { readFileSync } from 'node:fs';
import os from 'node:os';

/**
 * Cores that this process may really use: its affinity, and the control group's quota when that is lower. More threads than
 * that fight each other for the same time slices.
 */
export function usableCores(quotaFile = '/sys/fs/cgroup/cpu.max'): number {
  const cores = os.availableParallelism();
  try {
    const [quota, period] = readFileSync(quotaFile, 'utf8').trim().split(/\s+/).map(Number);
    const limit = (quota ?? NaN) / (period ?? NaN);
    return Number.isFinite(limit) && limit > 0 ? Math.max(1, Math.min(cores, Math.ceil(limit))) : cores;
  } catch {
    return cores;
  }
}
