// The whole configuration, typed and validated once at start. Nothing else reads the environment.
import { homedir } from 'node:os';
import path from 'node:path';
import { EnvironmentReader, parseGoBool, type Environment } from './environment.js';
import { parseHost, type HostAddress } from './host.js';
import { foreverWhenNegative, parseEnvironmentDuration } from './keep-alive.js';
import { parseOrigins } from './origins.js';
import type { ConfigVariableName } from './table.js';

export type LogLevel = 'info' | 'debug' | 'trace';
export type ProviderChoice = 'auto' | 'cpu' | 'cuda' | 'webgpu';
export type KvCacheType = 'f16' | 'q8_0' | 'q4_0';
/** Which chat template wins when a model has two; `auto` compares what they can do. */
export type GoTemplateChoice = 'on' | 'off' | 'auto';

export interface Config {
  readonly host: HostAddress;
  readonly modelsDirectory: string;
  /** Milliseconds; Infinity keeps models for ever, 0 unloads after each request. */
  readonly keepAliveMs: number;
  /** Tokens; 0 means automatic. */
  readonly contextLength: number;
  /** Sequences in one batch; 0 means automatic. */
  readonly numParallel: number;
  /** 0 means automatic. */
  readonly maxLoadedModels: number;
  readonly maxQueue: number;
  /** Milliseconds without progress; Infinity waits for ever. */
  readonly loadTimeoutMs: number;
  /** CORS origin patterns, the operator's first, then those that are always allowed. */
  readonly origins: readonly string[];
  readonly logLevel: LogLevel;
  readonly kvCacheType: KvCacheType;
  readonly isPruneDisabled: boolean;
  readonly isHistoryDisabled: boolean;
  readonly goTemplate: GoTemplateChoice;
  readonly isCloudDisabled: boolean;
  readonly cacheDirectory: string;
  /** Line history of the interactive prompt. */
  readonly historyFile: string;
  /** 0 means automatic. */
  readonly numThreads: number;
  readonly provider: ProviderChoice;
  /** Path of the operator library; undefined takes the one in the package. */
  readonly nativeLibrary: string | undefined;
  /** Instruction set of the CPU kernels; undefined takes the best one. */
  readonly isa: string | undefined;
  /** Memory budget of all loaded models in bytes; 0 means automatic. */
  readonly maxMemoryBytes: number;
  /** Values that were overlooked, one sentence each; the server logs them at start. */
  readonly warnings: readonly string[];
}

const fiveMinutesMs = 5 * 60_000;

/** Reads and checks every variable. Throws TarsError CONFIG_INVALID for a value that has no sensible fallback. */
export function loadConfig(environment: Environment): Config {
  const reader = new EnvironmentReader(environment);
  const home = reader.text('HOME') || reader.text('USERPROFILE') || homedir();
  const cacheHome = reader.text('XDG_CACHE_HOME') || path.join(home, '.cache');
  const loadTimeoutMs = duration(reader, 'OLLAMA_LOAD_TIMEOUT');
  return {
    host: parseHost(reader.text('OLLAMA_HOST'), (message) => reader.warnings.push(message)),
    modelsDirectory: path.resolve(reader.text('OLLAMA_MODELS') || path.join(home, '.ollama', 'models')),
    keepAliveMs: foreverWhenNegative(duration(reader, 'OLLAMA_KEEP_ALIVE')),
    contextLength: reader.count('OLLAMA_CONTEXT_LENGTH', 0),
    numParallel: reader.count('OLLAMA_NUM_PARALLEL', 0),
    maxLoadedModels: reader.count('OLLAMA_MAX_LOADED_MODELS', 0),
    maxQueue: reader.count('OLLAMA_MAX_QUEUE', 512),
    loadTimeoutMs: loadTimeoutMs <= 0 ? Infinity : loadTimeoutMs,
    origins: parseOrigins(reader.text('OLLAMA_ORIGINS')),
    logLevel: logLevel(reader.text('OLLAMA_DEBUG')),
    kvCacheType: reader.choice('OLLAMA_KV_CACHE_TYPE', ['f16', 'q8_0', 'q4_0'], 'f16'),
    isPruneDisabled: reader.flag('OLLAMA_NOPRUNE'),
    isHistoryDisabled: reader.flag('OLLAMA_NOHISTORY'),
    goTemplate: reader.text('OLLAMA_GO_TEMPLATE') === '' ? 'auto' : reader.flag('OLLAMA_GO_TEMPLATE') ? 'on' : 'off',
    isCloudDisabled: reader.flag('OLLAMA_NO_CLOUD'),
    cacheDirectory: path.resolve(reader.text('TARS_CACHE_DIR') || path.join(cacheHome, 'tars')),
    historyFile: path.join(home, '.ollama', 'history'),
    numThreads: reader.count('TARS_NUM_THREADS', 0),
    provider: reader.choice('TARS_PROVIDER', ['auto', 'cpu', 'cuda', 'webgpu'], 'auto'),
    nativeLibrary: reader.text('TARS_NATIVE_LIBRARY') || undefined,
    isa: reader.text('TARS_ISA') || undefined,
    maxMemoryBytes: reader.count('TARS_MAX_MEMORY', 0),
    warnings: reader.warnings,
  };
}

function duration(reader: EnvironmentReader, name: ConfigVariableName): number {
  const text = reader.text(name);
  if (text === '') {
    return fiveMinutesMs;
  }
  const milliseconds = parseEnvironmentDuration(text);
  if (milliseconds === undefined) {
    reader.warnings.push(`${name}: invalid duration ${JSON.stringify(text)}, using 5m`);
  }
  return milliseconds ?? fiveMinutesMs;
}

function logLevel(text: string): LogLevel {
  if (parseGoBool(text) === true) {
    return 'debug';
  }
  const level = /^\d+$/.test(text) ? Number(text) : 0;
  return level >= 2 ? 'trace' : 'info';
}
