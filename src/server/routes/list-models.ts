import type { FastifyInstance } from 'fastify';
import type { ListedModel } from '../../api/index.js';
import { errorMessage } from '../../errors/index.js';
import type { StoredModel } from '../../registry/index.js';
import { modelDetails } from '../model-details.js';
import type { Services } from '../services.js';
import { localTimestamp } from '../wall-clock.js';

/** `/api/tags`: every stored model, newest first. */
export function registerListModels(app: FastifyInstance, services: Services): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/api/tags',
    handler: async (_request, reply) => {
      const models: ListedModel[] = [];
      for (const model of await services.store.list()) {
        models.push(await listedModel(services, model));
      }
      return reply.send({ models });
    },
  });
}

async function listedModel({ profiles, logger }: Services, model: StoredModel): Promise<ListedModel> {
  const profile = await profiles.profile(model).catch((error: unknown) => {
    // A damaged weights file must not hide the other models.
    logger.warn({ model: model.displayName, reason: errorMessage(error) }, 'weights cannot be described');
    return undefined;
  });
  const { contextLength, embeddingLength } = profile?.facts.description ?? {};
  return {
    name: model.displayName,
    model: model.displayName,
    modified_at: localTimestamp(model.modifiedAt),
    size: model.sizeBytes,
    digest: model.digest,
    details: {
      ...modelDetails(model, profile?.facts.description.fileTypeName),
      context_length: (model.config.context_length ?? contextLength) || undefined,
      embedding_length: (model.config.embedding_length ?? embeddingLength) || undefined,
    },
    capabilities: profile === undefined ? undefined : [...profile.capabilities],
  };
}
