// Composes store, runner pool and app, listens, and closes in order.
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { formatHostPort, type Config } from '../config/index.js';
import { TarsError } from '../errors/index.js';
import { createLogger, type Logger } from '../log/index.js';
import { Metrics } from '../metrics/index.js';
import { describeGgufWeights, FolderModelStore, packagedModelsFolder, type ModelStore } from '../registry/index.js';
import { createRunnerPool, type RunnerPool } from '../runners/index.js';
import { ActiveRequests } from './active-requests.js';
import { createApp } from './app.js';
import { ollamaCompatibleVersion } from './version.js';

export interface ServerDependencies {
  readonly logger?: Logger;
  readonly store?: ModelStore;
  readonly pool?: RunnerPool;
  readonly metrics?: Metrics;
  /** How long streams may go on after `close()`, in milliseconds. */
  readonly graceMs?: number;
}

export interface RunningServer {
  readonly url: string;
  /** Stops accepting, lets streams end for a grace period, aborts the rest, ends the engine processes. Safe to call twice. */
  close(): Promise<void>;
}

const defaultGraceMs = 2000;
/** Time for aborted streams to write their last line. */
const lastLineMs = 500;
const pollMs = 10;

/** Throws LISTEN_FAILED when the address is taken or cannot be used. */
export async function startServer(config: Config, dependencies: ServerDependencies = {}): Promise<RunningServer> {
  const logger = dependencies.logger ?? createLogger({ level: config.logLevel });
  config.warnings.forEach((warning) => logger.warn(warning));
  const store = dependencies.store ?? (await createStore(config, logger));
  const pool = dependencies.pool ?? createRunnerPool({ config, logger });
  const active = new ActiveRequests();
  const metrics = dependencies.metrics ?? new Metrics();
  const app = createApp({ config, store, pool, logger, metrics, active });
  await listen(app, config).catch(async (error: unknown) => {
    await pool.close();
    throw error;
  });
  const address = app.server.address();
  const { hostname } = config.host;
  const port = typeof address === 'object' && address !== null ? address.port : config.host.port;

  let closing: Promise<void> | undefined;
  return {
    url: `http://${formatHostPort(hostname === '' || hostname === '0.0.0.0' ? '127.0.0.1' : hostname, port)}`,
    close: () => {
      closing ??= closeAll(app, pool, active, dependencies.graceMs ?? defaultGraceMs);
      return closing;
    },
  };
}

async function createStore(config: Config, logger: Logger): Promise<ModelStore> {
  const store = new FolderModelStore({
    folder: config.modelsDirectory,
    embeddedFolder: packagedModelsFolder(),
    cacheDirectory: config.cacheDirectory,
    isPruneDisabled: config.isPruneDisabled,
    describeWeights: describeGgufWeights,
    logger,
  });
  await store.prepare();
  return store;
}

async function listen(app: FastifyInstance, { host }: Config): Promise<void> {
  const address = formatHostPort(host.hostname, host.port);
  try {
    await app.listen({ host: host.hostname || '0.0.0.0', port: host.port, listenTextResolver: listeningText });
  } catch (error) {
    await app.close();
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const reason = code === 'EADDRINUSE' ? 'address already in use' : error instanceof Error ? error.message : String(error);
    throw new TarsError('LISTEN_FAILED', { address, reason }, { cause: error });
  }
}

/** The line that scripts wait for, in Ollama's words; `url` is what Fastify listens on. */
function listeningText(url: string): string {
  return `Listening on ${new URL(url).host} (version ${ollamaCompatibleVersion})`;
}

async function closeAll(app: FastifyInstance, pool: RunnerPool, active: ActiveRequests, graceMs: number): Promise<void> {
  const closed = app.close();
  await waitUntilIdle(active, graceMs);
  active.abortAll(new TarsError('SERVER_CLOSING'));
  await waitUntilIdle(active, lastLineMs);
  app.server.closeAllConnections();
  await closed;
  await pool.close();
}

async function waitUntilIdle(active: ActiveRequests, limitMs: number): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (active.size > 0 && performance.now() < endMs) {
    await delay(pollMs);
  }
}
