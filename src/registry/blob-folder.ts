// The `blobs` folder: files named by the SHA-256 of their content.
import { createHash } from 'node:crypto';
import { constants, copyFile, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { TarsError } from '../errors/index.js';
import { writeAtomically } from './atomic-file.js';
import { blobFileName, digestOf } from './digest.js';

/** Files this young may belong to an upload or a pull that is still running, here or in another program. */
const pruneAgeMs = 60 * 60_000;

/** Templates, parameters, licences and configs; the largest real licence is some tens of kB. */
const maxTextBytes = 16 << 20;

export interface BlobSource {
  blobPath(digest: string): string;
  /** Whole content of a small blob. Throws when it is absent or too large to be text. */
  readText(digest: string): Promise<string>;
}

export async function readTextFile(filePath: string): Promise<string> {
  const file = await open(filePath);
  try {
    const { size } = await file.stat();
    if (size > maxTextBytes) {
      throw new TarsError('FILE_INVALID', { file: filePath, offset: maxTextBytes, reason: `too large for text (${size} bytes)` });
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

export class BlobFolder implements BlobSource {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  blobPath(digest: string): string {
    return path.join(this.#folder, blobFileName(digest));
  }

  async size(digest: string): Promise<number | undefined> {
    const info = await stat(this.blobPath(digest)).catch(() => undefined);
    return info?.isFile() === true ? info.size : undefined;
  }

  readText(digest: string): Promise<string> {
    return readTextFile(this.blobPath(digest));
  }

  /** Stores a small content; `isNew` is false when it was there already. */
  async addText(text: string): Promise<{ digest: string; size: number; isNew: boolean }> {
    const digest = digestOf(text);
    const size = Buffer.byteLength(text);
    if ((await this.size(digest)) !== undefined) {
      return { digest, size, isNew: false };
    }
    await writeAtomically(this.#folder, async (file) => {
      await file.writeFile(text);
      return this.blobPath(digest);
    });
    return { digest, size, isNew: true };
  }

  /** Stores a stream under the digest that it must have. Throws BAD_REQUEST `digest mismatch, …` and then keeps nothing. */
  async addStream(digest: string, body: Readable): Promise<void> {
    const target = this.blobPath(digest);
    await writeAtomically(this.#folder, async (file) => {
      const hash = createHash('sha256');
      for await (const chunk of body as AsyncIterable<Buffer>) {
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      const actual = `sha256:${hash.digest('hex')}`;
      // An upper-case digest never equals: Ollama compares the text as it came.
      if (actual !== digest.replace('sha256-', 'sha256:')) {
        throw new TarsError('BAD_REQUEST', { reason: `digest mismatch, expected "${digest}", got "${actual}"` });
      }
      return target;
    });
  }

  /** Copies a file of a known digest into the folder; file systems that can share the blocks do. */
  async addFile(digest: string, filePath: string): Promise<void> {
    if ((await this.size(digest)) !== undefined) {
      return;
    }
    const target = this.blobPath(digest);
    await writeAtomically(this.#folder, async (_file, temporary) => {
      // Never a hard link: whoever rewrites the original in place would change the blob under its digest.
      await copyFile(filePath, temporary, constants.COPYFILE_FICLONE);
      return target;
    });
  }

  async remove(digest: string): Promise<void> {
    await rm(this.blobPath(digest), { force: true });
  }

  /** Renames blobs of old Ollama versions, `sha256:<hex>`, to the present form. */
  async renameOldBlobs(): Promise<void> {
    for (const name of await this.#names()) {
      if (name.startsWith('sha256:')) {
        await rename(path.join(this.#folder, name), path.join(this.#folder, name.replace(':', '-')));
      }
    }
  }

  /** Deletes old files that no manifest names, leftovers of broken transfers included; returns how many. */
  async prune(referenced: ReadonlySet<string>, nowMs: number): Promise<number> {
    let numRemoved = 0;
    for (const name of await this.#names()) {
      const filePath = path.join(this.#folder, name);
      const info = await stat(filePath).catch(() => undefined);
      const isOld = info?.isFile() === true && nowMs - info.mtimeMs > pruneAgeMs;
      if (isOld && !referenced.has(name.replace('sha256-', 'sha256:'))) {
        await rm(filePath, { force: true });
        numRemoved++;
      }
    }
    return numRemoved;
  }

  async #names(): Promise<readonly string[]> {
    return readdir(this.#folder).catch(() => []);
  }
}
