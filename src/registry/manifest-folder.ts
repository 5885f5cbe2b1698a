// The `manifests` folder: one JSON file per model at `<host>/<namespace>/<model>/<tag>`.
import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { errorMessage } from '../errors/index.js';
import { writeAtomically } from './atomic-file.js';
import { readTextFile } from './blob-folder.js';
import { digestOf } from './digest.js';
import { parseManifest, type Manifest } from './manifest.js';
import { displayModelName, isValidModelName } from './name.js';
import type { ModelName } from './types.js';

export interface StoreLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

export interface ManifestFile {
  readonly name: ModelName;
  readonly manifest: Manifest;
  /** SHA-256 of the file, bare hex. */
  readonly digest: string;
  readonly modifiedAt: Date;
}

export class ManifestFolder {
  readonly #folder: string;
  readonly #logger: StoreLogger;

  constructor(folder: string, logger: StoreLogger) {
    this.#folder = folder;
    this.#logger = logger;
  }

  path(name: ModelName): string {
    return path.join(this.#folder, name.host, name.namespace, name.model, name.tag);
  }

  /** Names of all manifest files; files that other programs left beside them are passed over. */
  async names(): Promise<readonly ModelName[]> {
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        return []; // a new store
      }
      throw error;
    });
    const names: ModelName[] = [];
    for (const entry of entries) {
      const parts = path.relative(this.#folder, path.join(entry.parentPath, entry.name)).split(path.sep);
      const [host, namespace, model, tag, ...rest] = parts;
      if (entry.isDirectory() || host === undefined || namespace === undefined || model === undefined || tag === undefined) {
        continue;
      }
      const name: ModelName = { host, namespace, model, tag };
      if (rest.length === 0 && isValidModelName(name)) {
        names.push(name);
      }
    }
    return names;
  }

  /** The manifest under exactly this name, or undefined when there is none. Throws when the file is not a manifest. */
  async read(name: ModelName): Promise<ManifestFile | undefined> {
    const filePath = this.path(name);
    const info = await stat(filePath).catch(() => undefined);
    if (info?.isFile() !== true) {
      return undefined;
    }
    const text = await readTextFile(filePath);
    return { name, manifest: parseManifest(text), digest: digestOf(text).slice('sha256:'.length), modifiedAt: info.mtime };
  }

  /** Every readable manifest; `isComplete` is false when one was skipped (and logged). */
  async readAll(): Promise<{ files: readonly ManifestFile[]; isComplete: boolean }> {
    const files: ManifestFile[] = [];
    let isComplete = true;
    for (const name of await this.names()) {
      try {
        const file = await this.read(name);
        if (file !== undefined) {
          files.push(file);
        }
      } catch (error) {
        isComplete = false;
        this.#logger.warn({ model: displayModelName(name), reason: errorMessage(error) }, 'skipped a corrupt manifest');
      }
    }
    return { files, isComplete };
  }

  async write(name: ModelName, text: string): Promise<void> {
    const target = this.path(name);
    await writeAtomically(path.dirname(target), async (file) => {
      await file.writeFile(text);
      return target;
    });
  }

  /** Removes the file and the folders that it leaves empty. */
  async remove(name: ModelName): Promise<void> {
    const filePath = this.path(name);
    await rm(filePath, { force: true });
    let folder = path.dirname(filePath);
    while (folder !== this.#folder && folder.startsWith(this.#folder)) {
      try {
        await rmdir(folder);
      } catch {
        return; // not empty
      }
      folder = path.dirname(folder);
    }
  }
}
