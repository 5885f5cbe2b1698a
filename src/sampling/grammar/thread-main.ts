// The thread that follows grammars: compiling one for a vocabulary takes up to seconds, and no stream may wait for it.
import { parentPort, workerData } from 'node:worker_threads';
import type { CompiledGrammar, GrammarCompiler, GrammarMatcher } from '@mlc-ai/web-xgrammar';
import { loadXGrammar } from './library.js';
import type { FromThread, GrammarVocabularyTables, ToThread } from './thread-messages.js';

/** Compiled grammars that are kept for further requests. */
const maxCompiled = 16;

interface OpenMatcher {
  readonly matcher: GrammarMatcher;
  readonly mask: Int32Array;
}

class GrammarServer {
  readonly #vocabulary: GrammarVocabularyTables;
  #compiler: GrammarCompiler | undefined;
  /** The least recently used first. */
  readonly #compiled = new Map<string, CompiledGrammar>();
  readonly #matchers = new Map<number, OpenMatcher>();

  constructor(vocabulary: GrammarVocabularyTables) {
    this.#vocabulary = vocabulary;
  }

  async handle(message: ToThread): Promise<void> {
    const { type, id } = message;
    if (type === 'open') {
      const matcher = await loadXGrammar().GrammarMatcher.createGrammarMatcher(await this.#compile(message.grammar));
      const open = { matcher, mask: new Int32Array(message.mask) };
      this.#matchers.set(id, open);
      await writeMask(open);
      return;
    }
    const open = this.#matchers.get(id);
    if (open === undefined) {
      return;
    }
    if (type === 'close') {
      this.#matchers.delete(id);
      open.matcher.dispose();
      return;
    }
    if (type === 'token') {
      open.matcher.acceptToken(message.token);
    } else {
      open.matcher._acceptString(message.text);
    }
    await writeMask(open);
  }

  async #compile(grammar: string): Promise<CompiledGrammar> {
    const known = this.#compiled.get(grammar);
    const compiled = known ?? (await (await this.#open()).compileGrammar(grammar));
    this.#compiled.delete(grammar);
    this.#compiled.set(grammar, compiled);
    const [oldest] = this.#compiled.keys();
    if (this.#compiled.size > maxCompiled && oldest !== undefined) {
      // Matchers keep what they need of it.
      this.#compiled.get(oldest)?.dispose();
      this.#compiled.delete(oldest);
    }
    return compiled;
  }

  async #open(): Promise<GrammarCompiler> {
    if (this.#compiler === undefined) {
      const { GrammarCompiler: Library, TokenizerInfo } = loadXGrammar();
      const { spellings, kind, size, endIds } = this.#vocabulary;
      const info = await TokenizerInfo.createTokenizerInfo([...spellings], kind, false, size, [...endIds]);
      this.#compiler = await Library.createGrammarCompiler(info);
    }
    return this.#compiler;
  }
}

async function writeMask({ matcher, mask }: OpenMatcher): Promise<void> {
  if (!matcher.isTerminated()) {
    mask.set((await matcher.getNextTokenBitmask()).subarray(0, mask.length));
  }
}

const port = parentPort;
if (port !== null) {
  const server = new GrammarServer(workerData as GrammarVocabularyTables);
  // One after the other: the library's calls are asynchronous only in form.
  let last = Promise.resolve();
  port.on('message', (message: ToThread) => {
    last = last.then(async () => {
      let answer: FromThread = { id: message.id };
      try {
        await server.handle(message);
      } catch (error) {
        answer = { id: message.id, error: error instanceof Error ? error.message : String(error) };
      }
      if (message.type !== 'close') {
        port.postMessage(answer);
      }
    });
  });
}
