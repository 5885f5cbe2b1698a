// What a measurement was made on, printed before every table.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';

export function describeEnvironment(root) {
  const commit = git(root, ['rev-parse', '--short', 'HEAD']);
  const isDirty = git(root, ['status', '--porcelain', '--untracked-files=no']) !== '';
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return [
    `processor   ${os.cpus()[0]?.model ?? 'unknown'}, ${os.availableParallelism()} cores`,
    `memory      ${(os.totalmem() / 2 ** 30).toFixed(0)} GiB`,
    `versions    tars ${manifest.version} (${commit}${isDirty ? ', modified' : ''}), node ${process.versions.node}, onnxruntime-node ${manifest.dependencies['onnxruntime-node']}`,
    `date        ${new Date().toISOString().slice(0, 10)}`,
  ].join('\n');
}

function git(root, args) {
  try {
    return execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Standard error of the median of the values, from their interquartile range, as of a normal distribution. */
export function spread(values) {
  const standardDeviation = (percentile(values, 0.75) - percentile(values, 0.25)) / 1.35;
  return (1.25 * standardDeviation) / Math.sqrt(values.length);
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
