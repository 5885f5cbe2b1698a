// The HTTP application: hooks in Ollama's order, error replies, and the routes. Tests drive it by `inject`.
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { encodeGoJson } from '../api/index.js';
import type { Config } from '../config/index.js';
import { errorMessage, TarsError } from '../errors/index.js';
import type { Logger } from '../log/index.js';
import type { Metrics } from '../metrics/index.js';
import type { ModelStore } from '../registry/index.js';
import type { RunnerPool } from '../runners/index.js';
import { ActiveRequests } from './active-requests.js';
import { ModelProfiles } from './model-profiles.js';
import { corsHook } from './plugins/cors.js';
import { hostCheckHook, isLoopbackHost } from './plugins/host-check.js';
import { decodedPath, redirectHook } from './plugins/redirects.js';
import { RouteTable } from './route-table.js';
import { registerBlobs } from './routes/blobs.js';
import { registerCopyDelete } from './routes/copy-delete.js';
import { registerCreateModel } from './routes/create-model.js';
import { registerHealthRoutes } from './routes/health.js';
import { registerInference } from './routes/inference.js';
import { registerListModels } from './routes/list-models.js';
import { registerListRunning } from './routes/list-running.js';
import { registerShowModel } from './routes/show-model.js';
import type { Services } from './services.js';
import { WallClock } from './wall-clock.js';

export interface AppDependencies {
  readonly config: Config;
  readonly store: ModelStore;
  readonly pool: RunnerPool;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Shared with whoever closes the app. */
  readonly active?: ActiveRequests;
}

/** Longest path parameter: a digest takes 71 characters, and a wrong one is to get its own error. */
const maxParamLength = 1024;

/** An app that does not listen yet. */
export function createApp(dependencies: AppDependencies): FastifyInstance {
  const services: Services = {
    ...dependencies,
    active: dependencies.active ?? new ActiveRequests(),
    profiles: new ModelProfiles(dependencies.config.goTemplate),
    clock: new WallClock(),
  };
  const logger: FastifyBaseLogger = dependencies.logger;
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength },
  });
  acceptAnyBody(app);
  const routes = new RouteTable();
  app.addHook('onRoute', ({ method, url }) => {
    [method].flat().forEach((name) => routes.add(name, url));
  });
  addHooks(app, services, routes);
  app.setReplySerializer((payload) => encodeGoJson(payload));
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  app.setNotFoundHandler((request, reply) => sendNotFound(request, reply, routes));
  for (const register of [
    registerHealthRoutes,
    registerListModels,
    registerListRunning,
    registerShowModel,
    registerInference,
    registerBlobs,
    registerCreateModel,
    registerCopyDelete,
  ]) {
    register(app, services);
  }
  return app;
}

/** Bodies stay streams: handlers read JSON whatever the content type says, and blobs never lie in memory. */
function acceptAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => {
    done(null, payload);
  });
}

function addHooks(app: FastifyInstance, { config, logger }: Services, routes: RouteTable): void {
  app.addHook('onRequest', async (request) => {
    // Ollama never looks at it, and Fastify would refuse a malformed one.
    delete request.raw.headers['content-type'];
  });
  app.addHook('onRequest', redirectHook(routes));
  app.addHook('onRequest', async (request, reply) => {
    const allowed = routes.methods(decodedPath(request.raw.url ?? '/') ?? '');
    if (allowed.length > 0 && !allowed.includes(request.method)) {
      reply.header('allow', allowed.join(', '));
    }
  });
  app.addHook('onRequest', corsHook(config.origins));
  if (isLoopbackHost(config.host.hostname)) {
    app.addHook('onRequest', hostCheckHook());
  }
  app.addHook('onResponse', async (request, reply) => {
    const durationMs = Math.round(reply.elapsedTime * 1000) / 1000;
    const path = decodedPath(request.raw.url ?? '/');
    logger.info({ method: request.method, path, status: reply.statusCode, durationMs }, 'request');
  });
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = error instanceof TarsError ? error.status : statusOf(error);
  if (status >= 500) {
    request.log.error({ err: error, path: request.raw.url }, 'request failed');
  }
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send({ error: errorMessage(error) });
}

/** Fastify's own refusals carry their status. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 ? status : 500;
}

function sendNotFound(request: FastifyRequest, reply: FastifyReply, routes: RouteTable): FastifyReply {
  if (routes.methods(decodedPath(request.raw.url ?? '/') ?? '').length > 0) {
    return reply.code(405).type('text/plain').send('405 method not allowed');
  }
  // Some clients parse every 404 as JSON: those that ask for JSON get the same words in Ollama's error form.
  if (request.headers.accept?.includes('application/json') === true) {
    return reply.code(404).type('application/json; charset=utf-8').send({ error: '404 page not found' });
  }
  return reply.code(404).type('text/plain').send('404 page not found');
}
