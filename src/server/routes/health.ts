import type { FastifyInstance } from 'fastify';
import type { Services } from '../services.js';
import { ollamaCompatibleVersion } from '../version.js';

/** Liveness, version, and the metrics page. */
export function registerHealthRoutes(app: FastifyInstance, { config, metrics, pool }: Services): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/',
    handler: (_request, reply) => reply.type('text/plain; charset=utf-8').send('Ollama is running'),
  });
  app.route({
    method: ['GET', 'HEAD'],
    url: '/api/version',
    handler: (_request, reply) => reply.send({ version: ollamaCompatibleVersion }),
  });
  app.get('/api/status', (_request, reply) =>
    reply.send({ cloud: { disabled: config.isCloudDisabled, source: config.isCloudDisabled ? 'env' : 'none' } }),
  );
  app.get('/metrics', async (_request, reply) => {
    const loaded = pool.list().map(({ model, sizeBytes }) => ({ model: model.displayName, sizeBytes }));
    return reply.type(metrics.contentType).send(await metrics.text(loaded));
  });
}
