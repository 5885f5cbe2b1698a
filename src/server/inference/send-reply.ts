import type { FastifyReply } from 'fastify';
import { sendNdjson } from '../ndjson.js';
import type { Reply } from './reply.js';

/** Sends an operation's reply: one object, a stream of lines, or all chunks joined when the client wants no stream. */
export async function sendReply<T extends object>(
  reply: FastifyReply,
  result: Reply<T>,
  isStreamed: boolean,
): Promise<FastifyReply> {
  if (result.kind === 'single') {
    return reply.send(result.body);
  }
  if (isStreamed) {
    return sendNdjson(reply, result.produce);
  }
  const chunks: T[] = [];
  await result.produce((chunk) => chunks.push(chunk));
  return reply.send(result.join(chunks));
}
