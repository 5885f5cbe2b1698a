// Writes a file so that readers, and a restart after a crash, see all of it or nothing.
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { FileHandle } from 'node:fs/promises';

/**
 * Lets `write` fill a temporary file in `folder`, flushes it, and renames it to the path that `write` returns; undefined
 * discards it. The temporary file is gone afterwards, whatever happens.
 */
export async function writeAtomically(
  folder: string,
  write: (file: FileHandle, temporaryPath: string) => Promise<string | undefined>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const temporary = path.join(folder, `.partial-${randomUUID()}`);
  const file = await open(temporary, 'wx');
  try {
    let target: string | undefined;
    try {
      target = await write(file, temporary);
      if (target !== undefined) {
        await file.sync();
      }
    } finally {
      await file.close();
    }
    if (target !== undefined) {
      await rename(temporary, target);
    }
  } finally {
    await rm(temporary, { force: true });
  }
}
