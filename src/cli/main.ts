#!/usr/bin/env node
// Entry of the `tars` program: makes the real collaborators and runs one command line.
import { readFileSync } from 'node:fs';
import { clientUrl, loadConfig, type Config } from '../config/index.js';
import { errorMessage } from '../errors/index.js';
import type { RuntimeFacts } from '../runtime/index.js';
import type { MachineFacts } from '../server/index.js';
import { ApiClient } from './api-client.js';
import type { RunningServer } from './context.js';
import { runProgram } from './program.js';

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

// Loaded on demand: few commands need the server's libraries, or native code.
async function startServer(config: Config): Promise<RunningServer> {
  const server = await import('../server/index.js');
  return server.startServer(config);
}

async function describeMachine(config: Config): Promise<MachineFacts> {
  const server = await import('../server/index.js');
  return server.describeMachine(config);
}

async function describeRuntime(config: Config): Promise<RuntimeFacts> {
  const runtime = await import('../runtime/index.js');
  return runtime.describeRuntime(config.nativeLibrary);
}

async function main(): Promise<number> {
  const config = loadConfig(process.env);
  const context = {
    config,
    client: new ApiClient(clientUrl(config.host)),
    terminal: { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
    signals: process,
    startServer,
    describeRuntime,
    describeMachine,
    exit: (status: number): void => process.exit(status),
    version: packageVersion(),
  };
  return runProgram(context, process.argv.slice(2));
}

// `tars list | head -1` closes stdout early; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`Error: ${errorMessage(error)}\n`);
  process.exitCode = 1;
}
