// SHA-256 digests: `sha256:<hex>` on the wire, `sha256-<hex>` as a file name.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { TarsError } from '../errors/index.js';

const digestPattern = /^sha256[:-]([0-9a-fA-F]{64})$/;

export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** File name of a blob. Throws BAD_REQUEST `invalid digest format`, so no other text can reach the file system. */
export function blobFileName(digest: string): string {
  const hex = digestPattern.exec(digest)?.[1];
  if (hex === undefined) {
    throw new TarsError('BAD_REQUEST', { reason: 'invalid digest format' });
  }
  return `sha256-${hex}`;
}

export function digestOf(content: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** Digest of a file of any size, read once in pieces. */
export async function digestOfFile(filePath: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(filePath, { highWaterMark: 1 << 20 }), hash, { signal });
  return `sha256:${hash.digest('hex')}`;
}
