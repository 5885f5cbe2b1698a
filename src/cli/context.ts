// What every command is given; tests replace each part.
import type { Readable } from 'node:stream';
import type { Config } from '../config/index.js';
import type { RuntimeFacts } from '../runtime/index.js';
import type { MachineFacts } from '../server/index.js';
import type { ApiClient } from './api-client.js';

export interface TextOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(isRaw: boolean): unknown };
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
}

/** The part of `process` that tells of SIGINT and SIGTERM. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

export interface RunningServer {
  readonly url: string;
  close(): Promise<void>;
}

export interface CliContext {
  readonly config: Config;
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly signals: SignalSource;
  readonly startServer: (config: Config) => Promise<RunningServer>;
  readonly describeRuntime: (config: Config) => Promise<RuntimeFacts>;
  readonly describeMachine: (config: Config) => Promise<MachineFacts>;
  /** Ends the process at once. */
  readonly exit: (status: number) => void;
  readonly version: string;
}

/** Runs a task whose signal is aborted by Ctrl-C; undefined when it was. */
export async function untilInterrupted<T>(
  signals: SignalSource,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  signals.on('SIGINT', interrupt);
  try {
    return await task(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) {
      return undefined;
    }
    throw error;
  } finally {
    signals.off('SIGINT', interrupt);
  }
}
