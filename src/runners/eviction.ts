export interface EvictionCandidate {
  readonly key: string;
  readonly keepAliveMs: number;
  readonly isIdle: boolean;
}

/**
 * Policy: which loaded model goes first. The shortest keep-alive among the idle ones; when none is idle, the shortest of all
 * (its requests are waited for). Undefined when nothing is loaded.
 */
export function chooseEviction(candidates: readonly EvictionCandidate[]): EvictionCandidate | undefined {
  const byDuration = [...candidates].sort((a, b) => a.keepAliveMs - b.keepAliveMs || a.key.localeCompare(b.key));
  return byDuration.find((candidate) => candidate.isIdle) ?? byDuration[0];
}
