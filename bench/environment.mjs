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

/** Cores that other processes keep busy now, over half a second. */
export async function busyCores() {
  const before = processorTimes();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = processorTimes();
  return ((after.busy - before.busy) / (after.total - before.total)) * os.cpus().length;
}

function processorTimes() {
  const times = os.cpus().map((core) => core.times);
  const total = times.flatMap((time) => Object.values(time)).reduce((sum, time) => sum + time, 0);
  return { total, busy: total - times.reduce((sum, time) => sum + time.idle, 0) };
}
