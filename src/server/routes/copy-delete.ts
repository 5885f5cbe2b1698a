import type { FastifyInstance } from 'fastify';
import { copyRequestBody, deleteRequestBody } from '../../api/index.js';
import { TarsError } from '../../errors/index.js';
import { parseModelName, type ModelName } from '../../registry/index.js';
import { localName, runnableModel } from '../model-lookup.js';
import { readJsonBody } from '../request-body.js';
import type { Services } from '../services.js';

/** `POST /api/copy` and `DELETE /api/delete`; both answer 200 with an empty body. */
export function registerCopyDelete(app: FastifyInstance, { store, pool }: Services): void {
  app.post('/api/copy', async (request, reply) => {
    const { source = '', destination = '' } = await readJsonBody(request, copyRequestBody);
    const from = requireName('source', source);
    const to = requireName('destination', destination);
    if ((await store.get(from)) === undefined) {
      throw new TarsError('COPY_SOURCE_NOT_FOUND', { model: JSON.stringify(source) });
    }
    await store.copy(from, to);
    return reply.code(200).send();
  });
  app.delete('/api/delete', async (request, reply) => {
    const body = await readJsonBody(request, deleteRequestBody);
    const text = body.model || body.name || '';
    if (text === '') {
      throw new TarsError('MODEL_REQUIRED');
    }
    const name = requireName('name', text);
    const model = await store.get(name);
    await store.delete(name).catch((error: unknown) => {
      const isMissing = error instanceof TarsError && error.code === 'MODEL_NOT_FOUND';
      throw isMissing ? new TarsError('MODEL_NOT_FOUND', { model: text }) : error;
    });
    // The weights stay as long as another model names them; what was prepared from them goes with them.
    if (model !== undefined && model.weightsDigest !== '' && !(await store.hasBlob(model.weightsDigest))) {
      pool.forget(runnableModel(model));
    }
    return reply.code(200).send();
  });
}

function requireName(field: string, text: string): ModelName {
  const name = parseModelName(localName(text));
  if (name === undefined) {
    throw new TarsError('BAD_REQUEST', { reason: `${field} ${JSON.stringify(text)} is invalid` });
  }
  return name;
}
