// Streams objects as newline-delimited JSON: one complete line each, sent at once.
import type { FastifyReply } from 'fastify';
import { encodeGoJson } from '../api/index.js';
import { TarsError, errorMessage } from '../errors/index.js';
import type { Producer } from './inference/reply.js';

/** What a client may leave unread, in bytes: 100,000 lines of one token. It stops a client that never reads from filling the memory. */
const maxUnreadBytes = 16 * 2 ** 20;

/**
 * Sends what is produced. Nothing is written before the first object, so that an error before it keeps its status; a later
 * error becomes a last line `{"error":"…"}`. What is produced after the client went away is dropped; a client that reads far
 * too slowly is cut off.
 */
export async function sendNdjson(reply: FastifyReply, produce: Producer<object>): Promise<FastifyReply> {
  const { raw } = reply;
  let hasBegun = false;
  const begin = (): void => {
    hasBegun = true;
    reply.header('content-type', 'application/x-ndjson');
    // Written straight to the socket: the stream objects in between would cost more than all the rest of a token's way.
    reply.hijack();
    raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string | string[]>);
  };
  const writeLine = (value: object): void => {
    if (!hasBegun) {
      begin();
    }
    if (raw.destroyed) {
      return;
    }
    raw.write(`${encodeGoJson(value)}\n`);
    if (raw.writableLength > maxUnreadBytes) {
      raw.destroy();
      throw new TarsError('CLIENT_TOO_SLOW', { megabytes: maxUnreadBytes / 2 ** 20 });
    }
  };
  try {
    await produce(writeLine);
  } catch (error) {
    if (!hasBegun) {
      throw error;
    }
    reply.log.warn({ reason: errorMessage(error) }, 'stream ended with an error');
    writeLine({ error: errorMessage(error) });
  }
  if (!hasBegun) {
    begin();
  }
  raw.end();
  return reply;
}
