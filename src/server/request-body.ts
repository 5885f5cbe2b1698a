// Reads a JSON body whatever its content type says, as Ollama does.
import type { FastifyRequest } from 'fastify';
import { decodeGo, parseGoJson } from '../api/index.js';
import type { BodyDecoder } from '../api/index.js';
import { TarsError } from '../errors/index.js';

/** Stops a body from filling memory. The largest honest ones carry some tens of images of a few MB each, in base64. */
const maxBodyBytes = 256 * 1024 * 1024;

async function readBytes(request: FastifyRequest): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let numBytes = 0;
  for await (const chunk of request.raw as AsyncIterable<Buffer>) {
    numBytes += chunk.length;
    if (numBytes > maxBodyBytes) {
      throw new TarsError('BODY_TOO_LARGE');
    }
    chunks.push(chunk);
  }
  const [first, ...others] = chunks;
  return first !== undefined && others.length === 0 ? first : Buffer.concat(chunks);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** Decoded body. Throws BAD_REQUEST with the texts of Go's JSON decoder, or `missing request body`. */
export async function readJsonBody<T>(request: FastifyRequest, { decode, goType }: BodyDecoder<T>): Promise<Partial<T>> {
  const bytes = await readBytes(request);
  if (bytes.every(isSpace)) {
    throw new TarsError('BAD_REQUEST', { reason: 'missing request body' });
  }
  return decodeGo<Partial<T>>(parseGoJson(bytes), decode, goType, {});
}
