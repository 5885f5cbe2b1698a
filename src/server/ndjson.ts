// Streams objects as newline-delimited JSON: one complete line each, sent at once, no faster than the client reads.
import { once } from 'node:events';
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
  // Written straight to the socket: the stream objects in between would cost more than all the rest of a token's way.
  reply.hijack();
  reply.raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string | string[]>);
  await writeLines(reply, first, chunks);
  reply.raw.end();
  return reply;
}

async function writeLines(reply: FastifyReply, first: IteratorResult<object>, chunks: AsyncGenerator<object>): Promise<void> {
  const { raw } = reply;
  try {
    for (let next = first; next.done !== true && !raw.destroyed; next = await chunks.next()) {
      if (!raw.write(`${encodeGoJson(next.value)}\n`)) {
        await Promise.race([once(raw, 'drain'), once(raw, 'close')]);
      }
    }
  } catch (error) {
    if (!raw.destroyed) {
      reply.log.warn({ reason: errorMessage(error) }, 'stream ended with an error');
      raw.write(`${encodeGoJson({ error: errorMessage(error) })}\n`);
    }
  } finally {
    await chunks.return(undefined);
  }
}
