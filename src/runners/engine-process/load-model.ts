// Weights file → `.tars` package → graph → session → engine. The composition root of an engine process.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TarsError } from '../../errors/index.js';
import {
  BlockPool,
  Engine,
  ModelRunner,
  Scheduler,
  kvBytesPerToken,
  type EngineStats,
  type KvCacheShape,
} from '../../engine/index.js';
import { openGguf, readPackage, writePackage, type HyperParameters, type TarsPackage } from '../../formats/index.js';
import { buildDecoder, planPackage } from '../../graph/index.js';
import { usableCacheType } from '../../quant/index.js';
import { Environment, Session, findOperatorLibrary, operatorInstructionSet } from '../../runtime/index.js';
import { GrammarCompiler, type GrammarVocabulary } from '../../sampling/index.js';
import { createTokenizer, type Tokenizer, type TokenizerModel } from '../../tokenizer/index.js';
import { packagePath } from '../package-store.js';
import type { EngineReady, EngineSettings, LoadProgress } from '../protocol.js';

/** Token places of one cache block: large enough for few table look-ups, small enough to waste little and reuse short prefixes. */
const blockSize = 32;

// Ollama's engine rounds its context up like this: a tiny num_ctx cuts old messages, but a template still fits.
const contextStep = 256;

const minLogitRows = 32;

// A long prompt chunk stalls every running stream for as long as it runs.
const prefillTokensWhileDecoding = 128;

export interface LoadedEngine extends AsyncDisposable {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly grammars: GrammarCompiler;
  readonly ready: EngineReady;
}

export interface LoadHooks {
  readonly onProgress: (progress: LoadProgress) => void;
  readonly onStep: (stats: EngineStats) => void;
}

/** Loads a model; see EngineSettings. Throws the errors of the readers, of the graph and of the runtime. */
export async function loadModel(settings: EngineSettings, hooks: LoadHooks): Promise<LoadedEngine> {
  const tarsPackage = await ensurePackage(settings, hooks);
  const { hyperParameters } = tarsPackage.metadata;
  const contextLength = Math.min(roundUp(settings.contextLength, contextStep), hyperParameters.contextLength);
  const vocabSize = vocabularyRows(tarsPackage);
  const cacheShape = planCache(hyperParameters, contextLength, settings);

  hooks.onProgress({ stage: 'session', fraction: 0 });
  const operatorLibrary = findOperatorLibrary(settings.operatorLibrary);
  const environment = new Environment();
  const graph = buildDecoder(tarsPackage, { contextLength, cacheType: cacheShape.type, blockSize });
  const session = await Session.create(environment, graph, {
    numThreads: settings.numThreads,
    operatorLibraries: [operatorLibrary],
    config: sessionConfig,
  });
  const runner = new ModelRunner(environment, session, cacheShape, {
    maxTokens: settings.stepTokens,
    maxSequences: settings.maxSequences,
    maxLogits: logitRows(settings),
    maxSequenceBlocks: Math.ceil(contextLength / blockSize) + 1,
    vocabSize,
  });

  hooks.onProgress({ stage: 'tokenizer', fraction: 0 });
  await nextTurn();
  const tokenizer = createTokenizer(tarsPackage.metadata.tokenizer);
  const engine = createEngine(settings, { runner, numBlocks: cacheShape.numBlocks, vocabSize, contextLength }, hooks);
  return {
    engine,
    tokenizer,
    grammars: new GrammarCompiler(grammarVocabulary(tarsPackage.metadata.tokenizer, tokenizer, vocabSize)),
    ready: {
      contextLength: Math.min(settings.contextLength, hyperParameters.contextLength),
      vocabSize,
      weightsBytes: tarsPackage.sizeBytes,
      cacheBytes: runner.byteLength,
      cacheType: cacheShape.type,
      numThreads: settings.numThreads,
      instructionSet: operatorInstructionSet(operatorLibrary),
    },
    [Symbol.asyncDispose]: async () => {
      await engine.idle();
      runner[Symbol.dispose]();
      session[Symbol.dispose]();
      environment[Symbol.dispose]();
    },
  };
}

function grammarVocabulary(model: TokenizerModel, tokenizer: Tokenizer, size: number): GrammarVocabulary {
  return {
    kind: model.kind === 'bpe' ? 'byte_level' : 'byte_fallback',
    // A control token would be allowed as its text inside a string, and end the answer or begin another turn there.
    spellings: model.tokens.map((spelling, id) => (tokenizer.isControl(id) ? '' : spelling)),
    size,
    endIds: tokenizer.endIds,
    textOf: (id) => (tokenizer.isControl(id) ? '' : tokenizer.tokenText(id)),
  };
}

interface EngineParts {
  readonly runner: ModelRunner;
  readonly numBlocks: number;
  readonly vocabSize: number;
  readonly contextLength: number;
}

function createEngine(settings: EngineSettings, parts: EngineParts, { onStep }: LoadHooks): Engine {
  const { runner, numBlocks, vocabSize, contextLength } = parts;
  const pool = new BlockPool(numBlocks);
  const scheduler = new Scheduler(pool, {
    numTokens: settings.stepTokens,
    numPrefillTokensWhileDecoding: Math.min(prefillTokensWhileDecoding, settings.stepTokens),
    maxSequences: Math.min(settings.maxSequences, settings.stepTokens),
    blockSize,
    maxLogits: logitRows(settings),
  });
  const nowNs = (): bigint => process.hrtime.bigint();
  return new Engine({ runner, scheduler, pool, vocabSize, blockSize, contextLength, nowNs, onStep });
}

/** A row of logits for each sequence, and enough to score a prompt in chunks. */
function logitRows({ maxSequences }: EngineSettings): number {
  return Math.max(maxSequences, minLogitRows);
}

const sessionConfig: Readonly<Record<string, string>> = {
  // Initializers name the package by its absolute path without the leading slash.
  'session.model_external_initializers_file_folder_path': '/',
  // Threads spin briefly between the operators of a step and sleep between steps: an idle model uses no core.
  'session.intra_op.allow_spinning': '1',
  'session.intra_op.spin_duration_us': '1000',
  'session.force_spinning_stop': '1',
};

async function ensurePackage(settings: EngineSettings, hooks: LoadHooks): Promise<TarsPackage> {
  const { packageFolder, recipe, weightsDigest, weightsPath } = settings;
  const file = path.resolve(packagePath(packageFolder, weightsDigest, recipe));
  const present = readPresentPackage(file);
  if (present) {
    return present;
  }
  hooks.onProgress({ stage: 'packing', fraction: 0 });
  const source = openGguf(weightsPath);
  try {
    const { hyperParameters, tokenizer, chatTemplate } = source;
    const metadata = { recipe, sourceDigest: weightsDigest, hyperParameters, tokenizer };
    await writePackage(
      file,
      source,
      planPackage(source, recipe),
      chatTemplate === undefined ? metadata : { ...metadata, chatTemplate },
      ({ completedBytes, totalBytes }) => hooks.onProgress({ stage: 'packing', fraction: completedBytes / totalBytes }),
    );
  } finally {
    source.close();
  }
  return readPackage(file);
}

/** The package, or undefined when it is missing or damaged: then it is made anew from the weights. */
function readPresentPackage(file: string): TarsPackage | undefined {
  try {
    return existsSync(file) ? readPackage(file) : undefined;
  } catch (error) {
    if (error instanceof TarsError) {
      return undefined;
    }
    throw error;
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function vocabularyRows(tarsPackage: TarsPackage): number {
  const head = tarsPackage.tensors.get('lm_head') ?? tarsPackage.tensors.get('model.embed_tokens');
  return head?.numRows ?? 0;
}

/** As many full contexts as asked for and as the byte limit allows, but never less than one. */
function planCache(hyper: HyperParameters, contextLength: number, settings: EngineSettings): KvCacheShape {
  const { numLayers, numKvHeads, headSize } = hyper;
  const layerShape = { numLayers, numKvHeads, headSize, type: usableCacheType(settings.cacheType, headSize) };
  const contextBlocks = Math.ceil(contextLength / blockSize);
  const affordable = Math.floor(settings.maxCacheBytes / (kvBytesPerToken(layerShape) * blockSize));
  const numBlocks = Math.max(contextBlocks, Math.min(contextBlocks * settings.cacheContexts, affordable));
  return { ...layerShape, numBlocks, blockSize };
}
