import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { TarsError } from '../../errors/index.js';
import type { FromThread, GrammarVocabularyTables, ToThread } from './thread-messages.js';

/** Follows one answer through a grammar. `mask` has one bit for each token; it is right once the last call has settled. */
export interface GrammarFollower {
  readonly mask: Int32Array;
  acceptToken(id: number): Promise<void>;
  acceptText(text: string): Promise<void>;
  close(): void;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The thread that follows grammars for one vocabulary; see thread-main.ts. It is started with the first grammar. */
export class GrammarThread {
  readonly #vocabulary: GrammarVocabularyTables;
  readonly #timeoutMs: number;
  #worker: Worker | undefined;
  #nextId = 0;
  /** By follower: the calls that wait, oldest first. */
  readonly #waiting = new Map<number, Waiting[]>();

  /** A grammar that takes longer than `timeoutMs` to compile is given up, with all others of the thread. */
  constructor(vocabulary: GrammarVocabularyTables, timeoutMs = 30_000) {
    this.#vocabulary = vocabulary;
    this.#timeoutMs = timeoutMs;
  }

  /** Throws TarsError GRAMMAR_FAILED when the grammar cannot be compiled, or not in time. */
  async open(grammar: string): Promise<GrammarFollower> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const id = this.#nextId++;
    const shared = new SharedArrayBuffer(Math.ceil(this.#vocabulary.size / 32) * 4);
    const timer = setTimeout(() => this.#giveUp(worker, `it took longer than ${this.#timeoutMs / 1000} s`), this.#timeoutMs);
    try {
      await this.#call(worker, { type: 'open', id, grammar, mask: shared });
    } finally {
      clearTimeout(timer);
    }
    return {
      mask: new Int32Array(shared),
      acceptToken: (token) => this.#call(worker, { type: 'token', id, token }),
      acceptText: (text) => this.#call(worker, { type: 'text', id, text }),
      close: () => worker.postMessage({ type: 'close', id } satisfies ToThread),
    };
  }

  #start(): Worker {
    const worker = new Worker(threadEntry(), { workerData: this.#vocabulary, execArgv: [] });
    // An engine that has nothing else to do may end.
    worker.unref();
    worker.on('message', ({ id, error }: FromThread) => {
      const waiting = this.#waiting.get(id)?.shift();
      if (error === undefined) {
        waiting?.resolve();
      } else {
        waiting?.reject(new TarsError('GRAMMAR_FAILED', { reason: error }));
      }
    });
    worker.on('error', (error) => this.#giveUp(worker, error.message));
    worker.on('exit', () => this.#giveUp(worker, 'its thread ended'));
    return worker;
  }

  #call(worker: Worker, message: ToThread): Promise<void> {
    if (worker !== this.#worker) {
      return Promise.reject(new TarsError('GRAMMAR_FAILED', { reason: 'its thread ended' }));
    }
    return new Promise((resolve, reject) => {
      const queue = this.#waiting.get(message.id) ?? [];
      queue.push({ resolve, reject });
      this.#waiting.set(message.id, queue);
      worker.postMessage(message);
    });
  }

  #giveUp(worker: Worker, reason: string): void {
    if (worker !== this.#worker) {
      return;
    }
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    waiting.forEach(({ reject }) => reject(new TarsError('GRAMMAR_FAILED', { reason })));
    void worker.terminate();
  }
}

/** The thread runs compiled code; under a test runner this file is the TypeScript source, so look for it in dist/. */
function threadEntry(): string {
  const beside = fileURLToPath(new URL('./thread-main.js', import.meta.url));
  const entry = existsSync(beside) ? beside : beside.replace(/([\\/])src([\\/]sampling[\\/])/, '$1dist$2');
  if (!existsSync(entry)) {
    throw new TarsError('INTERNAL', { reason: 'the grammar thread is not built: run `npm run build`' });
  }
  return entry;
}
