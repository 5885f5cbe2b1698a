import os from 'node:os';
import { errorMessage } from '../../errors/index.js';
import type { CliContext } from '../context.js';
import { humanBytes } from '../format.js';

/** Prints what the server would run with on this machine: versions, processor, settings. Asks no server. */
export async function info({ config, terminal, version, ...context }: CliContext): Promise<void> {
  const cpuName = os.cpus()[0]?.model.trim() ?? 'unknown';
  const rows: [string, string][] = [
    ['version', version],
    ['node', process.versions.node],
    ['platform', `${process.platform}-${process.arch}`],
    ['processor', cpuName],
  ];
  try {
    const runtime = await context.describeRuntime(config);
    rows.push(
      ['instruction set', runtime.instructionSet],
      ['onnx runtime', runtime.onnxRuntimeVersion],
      ['operators', runtime.operatorLibrary],
    );
  } catch (error) {
    // The rest helps to find out why.
    rows.push(['operators', errorMessage(error)]);
  }
  const { numThreads, memoryBytes } = await context.describeMachine(config);
  const { hostname, port } = config.host;
  rows.push(
    ['threads', String(numThreads)],
    ['memory for models', humanBytes(memoryBytes)],
    ['kv cache', config.kvCacheType],
    ['address', `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`],
    ['models', config.modelsDirectory],
    ['cache', config.cacheDirectory],
  );
  const width = Math.max(...rows.map(([label]) => label.length));
  terminal.stdout.write(rows.map(([label, value]) => `${label.padEnd(width)}    ${value}\n`).join(''));
}
