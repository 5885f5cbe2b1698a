// The server's end of one engine process: starts it, sends requests, hands out their events, notices its death.
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TarsError, errorMessage } from '../errors/index.js';
import type { EngineStats } from '../engine/index.js';
import {
  type EngineReady,
  type EngineSettings,
  type FromEngine,
  type LoadProgress,
  type RequestEvent,
  type ToEngine,
} from './protocol.js';
import { decodeStepFrame, isStepMessage, type StepFrame, type StepMessage } from './step-frame.js';
import type { GenerationEvent, GenerationRequest } from './types.js';
import { fromWire } from './wire-error.js';

type Answer = string | readonly number[];

interface PendingAnswer {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

interface GenerationStream {
  readonly onEvent: (event: GenerationEvent) => void;
  /** Settles the generation; an error rejects it. */
  readonly end: (error?: Error) => void;
}

/** How long an engine may take to end after `shutdown` before it is killed. */
const shutdownGraceMs = 2000;

export interface ConnectionHooks {
  /** The process ended without having been asked to. */
  readonly onDeath: (error: TarsError) => void;
  readonly onStats: (stats: EngineStats) => void;
}

export class EngineConnection {
  readonly #child: ChildProcess;
  readonly #hooks: ConnectionHooks;
  readonly #streams = new Map<number, GenerationStream>();
  readonly #answers = new Map<number, PendingAnswer>();
  readonly #exited: Promise<void>;
  #load: { resolve: (ready: EngineReady) => void; reject: (error: Error) => void } | undefined;
  #onProgress: (progress: LoadProgress) => void = () => undefined;
  #nextId = 1;
  #isClosing = false;
  #death: TarsError | undefined;

  constructor(hooks: ConnectionHooks) {
    this.#hooks = hooks;
    this.#child = fork(engineEntry(), [], {
      serialization: 'json',
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message: FromEngine | StepMessage) => {
      if (isStepMessage(message)) {
        this.#receiveStep(decodeStepFrame(message));
      } else {
        this.#receive(message);
      }
    });
    // Also emitted when a signal cannot be sent; only a process that never started has no pid.
    this.#child.on('error', (error) => this.#child.pid ?? this.#died(error.message));
    this.#exited = new Promise((resolve) => {
      this.#child.on('exit', (code, signal) => {
        this.#died(signal === null ? `exit status ${code}` : `signal ${signal}`);
        resolve();
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Loads the model; rejects with the engine's own error, or RUNNER_STOPPED when the process dies meanwhile. */
  load(settings: EngineSettings, onProgress: (progress: LoadProgress) => void): Promise<EngineReady> {
    this.#onProgress = onProgress;
    return new Promise((resolve, reject) => {
      this.#load = { resolve, reject };
      this.#send({ type: 'load', settings });
    });
  }

  /** See RunnerLease. Events are handed over as they arrive, without a queue: a token's way to its client stays short. */
  generate(request: GenerationRequest, signal: AbortSignal, onEvent: (event: GenerationEvent) => void): Promise<void> {
    if (signal.aborted) {
      return Promise.reject(new TarsError('REQUEST_CANCELED'));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#abort(id, new TarsError('REQUEST_CANCELED'));
      const end = (error?: Error): void => {
        signal.removeEventListener('abort', onAbort);
        this.#streams.delete(id);
        return error === undefined ? resolve() : reject(error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#streams.set(id, { onEvent, end });
      this.#send({ type: 'generate', id, request });
    });
  }

  async tokenize(text: string, addBos: boolean): Promise<readonly number[]> {
    return (await this.#ask((id) => ({ type: 'tokenize', id, text, addBos }))) as readonly number[];
  }

  async detokenize(ids: readonly number[]): Promise<string> {
    return (await this.#ask((id) => ({ type: 'detokenize', id, ids }))) as string;
  }

  /** Ends the process; requests in flight fail with RUNNER_STOPPED. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#send({ type: 'shutdown' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), shutdownGraceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  /** Ends the process at once, for a load that is given up. */
  kill(): void {
    this.#isClosing = true;
    this.#child.kill('SIGKILL');
  }

  #ask(message: (id: number) => ToEngine): Promise<Answer> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject });
      this.#send(message(id));
    });
  }

  #send(message: ToEngine): void {
    if (this.#death) {
      this.#failAll(this.#death);
    } else if (this.#child.connected) {
      // A channel that breaks under the message is followed by 'exit', which fails whatever waits.
      this.#child.send(message, () => undefined);
    }
  }

  #receive(message: FromEngine): void {
    switch (message.type) {
      case 'progress':
        this.#onProgress(message.progress);
        return;
      case 'ready':
        this.#load?.resolve(message.ready);
        this.#load = undefined;
        return;
      case 'failed':
        this.#load?.reject(fromWire(message.error));
        this.#load = undefined;
        return;
      default:
        message satisfies never;
    }
  }

  #receiveStep({ events, stats }: StepFrame): void {
    events.forEach((event) => this.#deliver(event));
    if (stats) {
      this.#hooks.onStats(stats);
    }
  }

  #deliver(message: RequestEvent): void {
    if ('result' in message) {
      this.#answers.get(message.id)?.resolve(message.result);
      this.#answers.delete(message.id);
      return;
    }
    const stream = this.#streams.get(message.id);
    if ('error' in message) {
      const error = fromWire(message.error);
      stream?.end(error);
      this.#answers.get(message.id)?.reject(error);
      this.#answers.delete(message.id);
      return;
    }
    try {
      stream?.onEvent(message.event);
    } catch (error) {
      this.#abort(message.id, error instanceof Error ? error : new Error(errorMessage(error)));
      return;
    }
    if (message.event.kind === 'done') {
      stream?.end();
    }
  }

  /** Ends a generation on both sides. */
  #abort(id: number, error: Error): void {
    this.#streams.get(id)?.end(error);
    this.#send({ type: 'abort', id });
  }

  #died(reason: string): void {
    if (this.#death) {
      return;
    }
    this.#death = new TarsError('RUNNER_STOPPED', { reason });
    this.#failAll(this.#death);
    if (!this.#isClosing) {
      this.#hooks.onDeath(this.#death);
    }
  }

  #failAll(error: TarsError): void {
    this.#load?.reject(error);
    this.#load = undefined;
    this.#streams.forEach((stream) => stream.end(error));
    this.#answers.forEach(({ reject }) => reject(error));
    this.#answers.clear();
  }
}

/** The engine process runs compiled code; under a test runner this file is the TypeScript source, so look beside it in dist/. */
function engineEntry(): string {
  const beside = fileURLToPath(new URL('./engine-process/main.js', import.meta.url));
  const entry = existsSync(beside) ? beside : beside.replace(/([\\/])src([\\/]runners[\\/])/, '$1dist$2');
  if (!existsSync(entry)) {
    throw new TarsError('INTERNAL', { reason: 'the engine process is not built: run `npm run build`' });
  }
  return entry;
}
