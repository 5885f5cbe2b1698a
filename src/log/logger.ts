// The one logger of a process. Everything goes to stderr, so that stdout stays free for results.
import { pino, type Logger } from 'pino';
import { formatLogLine } from './pretty.js';

export type { Logger } from 'pino';

export interface LogDestination {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** stderr unless a test asks otherwise. */
  readonly destination?: LogDestination;
}

/** What people type and what models answer never reaches a log, nor do credentials. */
const privateKeys = ['prompt', 'messages', 'system', 'input', 'suffix', 'response', 'context', 'images', 'authorization'];
const redactedPaths = [...privateKeys, ...privateKeys.map((key) => `*.${key}`), '*.headers.authorization', '*.headers.cookie'];

/** JSON lines, or readable single lines when the destination is a terminal. Children share both and the redaction. */
export function createLogger(options: LoggerOptions): Logger {
  const destination: LogDestination = options.destination ?? process.stderr;
  const stream =
    destination.isTTY === true
      ? { write: (line: string): unknown => destination.write(`${formatLogLine(line.trimEnd())}\n`) }
      : { write: (line: string): unknown => destination.write(line) };
  return pino(
    {
      level: options.level,
      redact: { paths: redactedPaths, censor: '[redacted]' },
      timestamp: () => `,"time":${Date.now()}`,
    },
    stream,
  );
}
