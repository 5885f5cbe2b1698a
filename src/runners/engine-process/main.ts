// Entry of an engine process: one loaded model behind an IPC channel. It ends when the channel closes.
import { toWire } from '../wire-error.js';
import type { EngineStats } from '../../engine/index.js';
import type { EngineSettings, FromEngine, RequestEvent, ToEngine } from '../protocol.js';
import { encodeStepFrame, type StepMessage } from '../step-frame.js';
import type { GenerationRequest } from '../types.js';
import type { TokenConstraint } from '../../sampling/index.js';
import { createConstraint } from './constraint.js';
import { startGeneration, type GenerationSinks } from './generation.js';
import { loadModel, type LoadedEngine } from './load-model.js';

const statsIntervalMs = 250;

class EngineProcess {
  readonly #send: (message: FromEngine | StepMessage) => void;
  readonly #sequenceOfRequest = new Map<number, number>();
  /** Requests whose grammar is being prepared. */
  readonly #starting = new Set<number>();
  #loaded: LoadedEngine | undefined;
  #outbox: RequestEvent[] = [];
  #statsSentMs = 0;

  constructor(send: (message: FromEngine | StepMessage) => void) {
    this.#send = send;
  }

  receive(message: ToEngine): void {
    switch (message.type) {
      case 'load':
        void this.#load(message.settings);
        return;
      case 'generate':
        this.#generate(message.id, message.request);
        return;
      case 'abort':
        this.#abort(message.id);
        return;
      case 'tokenize':
        this.#answer(message.id, ({ tokenizer }) =>
          tokenizer.encode(message.text, { addBos: message.addBos, parseSpecial: true }),
        );
        return;
      case 'detokenize':
        this.#answer(message.id, ({ tokenizer }) => tokenizer.decode(message.ids, { renderControl: true }));
        return;
      case 'shutdown':
        // The operating system takes back memory and threads faster and more surely than an orderly release.
        process.exit(0);
        return;
      default:
        message satisfies never;
    }
  }

  async #load(settings: EngineSettings): Promise<void> {
    try {
      this.#loaded = await loadModel(settings, {
        onProgress: (progress) => this.#send({ type: 'progress', progress }),
        onStep: (stats) => this.#flush(stats),
      });
      this.#send({ type: 'ready', ready: this.#loaded.ready });
    } catch (error) {
      this.#send({ type: 'failed', error: toWire(error) });
    }
  }

  #generate(id: number, request: GenerationRequest): void {
    this.#guard(id, (loaded) => {
      const { format } = request;
      if (format === undefined) {
        this.#start(id, request, loaded, undefined);
        return;
      }
      this.#starting.add(id);
      void this.#startConstrained(id, request, format, loaded);
    });
  }

  async #startConstrained(
    id: number,
    request: GenerationRequest,
    format: NonNullable<GenerationRequest['format']>,
    loaded: LoadedEngine,
  ): Promise<void> {
    let constraint: TokenConstraint | undefined;
    try {
      constraint = await createConstraint(loaded.grammars, request.prompt, format);
      if (this.#starting.delete(id)) {
        this.#start(id, request, loaded, constraint);
      } else {
        constraint[Symbol.dispose]();
      }
    } catch (error) {
      this.#starting.delete(id);
      constraint?.[Symbol.dispose]();
      this.#outbox.push({ id, error: toWire(error) });
      this.#flush(undefined);
    }
  }

  #start(
    id: number,
    request: GenerationRequest,
    { engine, tokenizer, ready }: LoadedEngine,
    constraint: TokenConstraint | undefined,
  ): void {
    const end = (): void => {
      this.#sequenceOfRequest.delete(id);
      constraint?.[Symbol.dispose]();
    };
    const sinks: GenerationSinks = {
      onEvent: (event) => {
        this.#outbox.push({ id, event });
        if (event.kind === 'done') {
          end();
        }
      },
      onAbort: end,
      onError: (error) => {
        end();
        this.#outbox.push({ id, error: toWire(error) });
      },
    };
    this.#sequenceOfRequest.set(id, startGeneration(engine, tokenizer, ready.contextLength, request, sinks, constraint));
  }

  #abort(id: number): void {
    this.#starting.delete(id);
    const sequence = this.#sequenceOfRequest.get(id);
    if (sequence !== undefined) {
      this.#loaded?.engine.abort(sequence);
    }
  }

  #answer(id: number, compute: (loaded: LoadedEngine) => string | readonly number[]): void {
    this.#guard(id, (loaded) => {
      this.#outbox.push({ id, result: compute(loaded) });
      this.#flush(undefined);
    });
  }

  #guard(id: number, action: (loaded: LoadedEngine) => void): void {
    try {
      if (this.#loaded === undefined) {
        throw new Error('the model is not loaded');
      }
      action(this.#loaded);
    } catch (error) {
      this.#outbox.push({ id, error: toWire(error) });
      this.#flush(undefined);
    }
  }

  /** Sends what has happened; figures of the engine go along a few times a second. */
  #flush(latest: EngineStats | undefined): void {
    const isDue = latest !== undefined && performance.now() - this.#statsSentMs >= statsIntervalMs;
    if (this.#outbox.length === 0 && !isDue) {
      return;
    }
    const events = this.#outbox;
    this.#outbox = [];
    if (isDue) {
      this.#statsSentMs = performance.now();
    }
    this.#send(encodeStepFrame({ events, stats: isDue ? latest : undefined }));
  }
}

const engineProcess = new EngineProcess((message) => process.send?.(message));
process.on('message', (message) => engineProcess.receive(message as ToEngine));
process.on('disconnect', () => process.exit(0));
// Ctrl-C and a service manager's stop reach the whole process group; the server decides when its engines end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => undefined);
}
