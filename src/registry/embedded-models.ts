// Models shipped inside the package, seen through the same manifests and blobs as those of the folder, but read-only.
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { errorMessage } from '../errors/index.js';
import { readTextFile, type BlobFolder, type BlobSource } from './blob-folder.js';
import { digestOf, digestOfFile } from './digest.js';
import { configMediaType, layerMediaTypes, parseManifest, serializeManifest, type Layer } from './manifest.js';
import type { ManifestFile, StoreLogger } from './manifest-folder.js';
import { configOfWeights } from './model-builder.js';
import { isSameModelName, parseModelName } from './name.js';
import type { ModelName } from './types.js';
import type { DescribeWeights } from './weights.js';

/** `models/` of the package; the same from `src/registry` and from `dist/registry`. */
export function packagedModelsFolder(): string {
  return fileURLToPath(new URL('../../models', import.meta.url));
}

const extrasSchema = z.object({
  params: z.record(z.string(), z.unknown()).optional(),
  system: z.string().optional(),
  template: z.string().optional(),
  license: z.union([z.string(), z.array(z.string())]).optional(),
});

const hashCacheSchema = z.record(z.string(), z.object({ size: z.number(), mtimeMs: z.number(), digest: z.string() }));

/** One embedded model: a manifest made in memory; its weights are the file, its other blobs are texts. */
class EmbeddedModel implements BlobSource {
  readonly file: ManifestFile;
  readonly #weights: { readonly digest: string; readonly path: string };
  readonly #texts: ReadonlyMap<string, string>;

  constructor(file: ManifestFile, weights: { digest: string; path: string }, texts: ReadonlyMap<string, string>) {
    this.file = file;
    this.#weights = weights;
    this.#texts = texts;
  }

  blobPath(digest: string): string {
    return digest === this.#weights.digest ? this.#weights.path : '';
  }

  readText(digest: string): Promise<string> {
    const text = this.#texts.get(digest);
    return text === undefined ? readTextFile(this.blobPath(digest)) : Promise.resolve(text);
  }

  /** Puts every blob into the folder, so that a model made from this one owns its layers. */
  async copyBlobs(blobs: BlobFolder): Promise<void> {
    await blobs.addFile(this.#weights.digest, this.#weights.path);
    for (const text of this.#texts.values()) {
      await blobs.addText(text);
    }
  }
}

export type { EmbeddedModel };

export interface EmbeddedModelsOptions {
  /** Folder that holds `<name>/<name>.gguf` and optionally `<name>/<name>.json`. */
  readonly folder: string;
  /** Where digests of the files are remembered, so that a start does not read them again. */
  readonly cacheDirectory: string;
  readonly describeWeights: DescribeWeights;
  readonly logger: StoreLogger;
}

export class EmbeddedModels {
  readonly #options: EmbeddedModelsOptions;
  #models: Promise<readonly EmbeddedModel[]> | undefined;

  constructor(options: EmbeddedModelsOptions) {
    this.#options = options;
  }

  /** All embedded models, described once; one that cannot be read is left out and logged. */
  list(): Promise<readonly EmbeddedModel[]> {
    this.#models ??= this.#load();
    return this.#models;
  }

  async find(name: ModelName): Promise<EmbeddedModel | undefined> {
    return (await this.list()).find(({ file }) => isSameModelName(file.name, name));
  }

  async #load(): Promise<readonly EmbeddedModel[]> {
    const entries = await readdir(this.#options.folder, { withFileTypes: true }).catch(() => []);
    const models: EmbeddedModel[] = [];
    for (const entry of entries.filter((candidate) => candidate.isDirectory())) {
      try {
        const model = await this.#describe(entry.name);
        models.push(...(model === undefined ? [] : [model]));
      } catch (error) {
        this.#options.logger.warn({ model: entry.name, reason: errorMessage(error) }, 'skipped an embedded model');
      }
    }
    return models;
  }

  async #describe(modelName: string): Promise<EmbeddedModel | undefined> {
    const base = path.join(this.#options.folder, modelName, modelName);
    const weightsPath = `${base}.gguf`;
    const info = await stat(weightsPath).catch(() => undefined);
    const name = parseModelName(modelName);
    if (info === undefined || name === undefined) {
      return undefined;
    }
    const extrasText = await readTextFile(`${base}.json`).catch(() => '{}');
    const extras = extrasSchema.parse(JSON.parse(extrasText));
    const digest = await this.#weightsDigest(weightsPath, info.size, info.mtimeMs);
    const texts = new Map<string, string>();
    const textLayer = (mediaType: string, text: string): Layer => {
      const layer = { mediaType, digest: digestOf(text), size: Buffer.byteLength(text) };
      texts.set(layer.digest, text);
      return layer;
    };
    const layers: Layer[] = [{ mediaType: layerMediaTypes.model, digest, size: info.size }];
    for (const license of [extras.license ?? []].flat()) {
      layers.push(textLayer(layerMediaTypes.license, license));
    }
    if (extras.template !== undefined) {
      layers.push(textLayer(layerMediaTypes.template, extras.template));
    }
    if (extras.system !== undefined) {
      layers.push(textLayer(layerMediaTypes.system, extras.system));
    }
    if (extras.params !== undefined) {
      layers.push(textLayer(layerMediaTypes.params, `${JSON.stringify(extras.params)}\n`));
    }
    const config = { ...configOfWeights(await this.#options.describeWeights(weightsPath)), architecture: 'amd64', os: 'linux' };
    const manifestText = serializeManifest(textLayer(configMediaType, JSON.stringify(config)), layers);
    const file: ManifestFile = {
      name,
      manifest: parseManifest(manifestText),
      digest: digestOf(manifestText).slice('sha256:'.length),
      modifiedAt: info.mtime,
    };
    return new EmbeddedModel(file, { digest, path: weightsPath }, texts);
  }

  /** Digest of a weights file, remembered by path, size and modification time. */
  async #weightsDigest(filePath: string, size: number, mtimeMs: number): Promise<string> {
    const cachePath = path.join(this.#options.cacheDirectory, 'embedded-digests.json');
    const cache = await readFile(cachePath, 'utf8')
      .then((text) => hashCacheSchema.parse(JSON.parse(text)))
      .catch((): z.infer<typeof hashCacheSchema> => ({}));
    const known = Object.hasOwn(cache, filePath) ? cache[filePath] : undefined;
    if (known?.size === size && known.mtimeMs === mtimeMs) {
      return known.digest;
    }
    const digest = await digestOfFile(filePath);
    // The cache only saves time: a read-only cache folder must not keep the server from starting.
    await mkdir(this.#options.cacheDirectory, { recursive: true })
      .then(() => writeFile(cachePath, JSON.stringify({ ...cache, [filePath]: { size, mtimeMs, digest } })))
      .catch((error: unknown) => this.#options.logger.warn({ reason: errorMessage(error) }, 'could not remember a digest'));
    return digest;
  }
}
