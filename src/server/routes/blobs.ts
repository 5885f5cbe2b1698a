import type { FastifyInstance } from 'fastify';
import { TarsError } from '../../errors/index.js';
import { isDigest } from '../../registry/index.js';
import type { Services } from '../services.js';

interface BlobRoute {
  Params: { digest: string };
}

/** `HEAD|POST /api/blobs/:digest`: whether a blob is there, and uploading one as a raw body. */
export function registerBlobs(app: FastifyInstance, { store }: Services): void {
  app.head<BlobRoute>('/api/blobs/:digest', async (request, reply) => {
    const { digest } = request.params;
    if (!isDigest(digest)) {
      return reply.code(400).send();
    }
    return reply.code((await store.hasBlob(digest)) ? 200 : 404).send();
  });
  app.post<BlobRoute>('/api/blobs/:digest', async (request, reply) => {
    const { digest } = request.params;
    if (!isDigest(digest)) {
      throw new TarsError('BAD_REQUEST', { reason: 'invalid digest format' });
    }
    if (await store.hasBlob(digest)) {
      return reply.code(200).send();
    }
    await store.putBlob(digest, request.raw);
    return reply.code(201).send();
  });
}
