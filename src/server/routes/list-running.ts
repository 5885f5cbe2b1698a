import type { FastifyInstance } from 'fastify';
import type { RunningModel } from '../../api/index.js';
import { parseModelName } from '../../registry/index.js';
import type { LoadedModel } from '../../runners/index.js';
import { modelDetails, unknownDetails } from '../model-details.js';
import type { Services } from '../services.js';
import { localTimestamp, maxDurationMs } from '../wall-clock.js';

/** `/api/ps`: every loaded model, the one that expires last first. */
export function registerListRunning(app: FastifyInstance, services: Services): void {
  app.get('/api/ps', async (_request, reply) => {
    const models = await Promise.all(services.pool.list().map((loaded) => runningModel(services, loaded)));
    return reply.send({ models });
  });
}

async function runningModel({ store }: Services, loaded: LoadedModel): Promise<RunningModel> {
  const { displayName, digest } = loaded.model;
  const name = parseModelName(displayName);
  const stored = name === undefined ? undefined : await store.get(name);
  const expiresAtMs = Math.min(loaded.expiresAtMs, Date.now() + maxDurationMs);
  return {
    name: displayName,
    model: displayName,
    size: loaded.sizeBytes,
    digest,
    details: stored === undefined ? unknownDetails : { ...modelDetails(stored), parent_model: '' },
    expires_at: localTimestamp(new Date(expiresAtMs)),
    size_vram: loaded.vramBytes,
    context_length: loaded.contextLength,
  };
}
