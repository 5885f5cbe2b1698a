// Streams objects as newline-delimited JSON: one complete line each, sent at once, no faster than the client reads.
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { encodeGoJson } from '../api/index.js';
import { errorMessage } from '../errors/index.js';

/**
 * Sends the chunks. The first one is awaited before anything is written, so that an error before it keeps its status;
 * a later error becomes a last line `{"error":"…"}`. Leaving early (the client went away) ends the iteration.
 */
export async function sendNdjson(reply: FastifyReply, chunks: AsyncGenerator<object>): Promise<FastifyReply> {
  const first = await chunks.next();
  reply.header('content-type', 'application/x-ndjson');
  const lines = Readable.from(ndjsonLines(first, chunks, reply), { objectMode: false });
  return reply.send(lines);
}

async function* ndjsonLines(
  first: IteratorResult<object>,
  chunks: AsyncGenerator<object>,
  reply: FastifyReply,
): AsyncGenerator<string> {
  try {
    for (let next = first; next.done !== true; next = await chunks.next()) {
      yield `${encodeGoJson(next.value)}\n`;
    }
  } catch (error) {
    if (!reply.raw.destroyed) {
      reply.log.warn({ reason: errorMessage(error) }, 'stream ended with an error');
      yield `${encodeGoJson({ error: errorMessage(error) })}\n`;
    }
  } finally {
    await chunks.return(undefined);
  }
}
