// The model store over Ollama's folder layout, with the embedded models as a read-only layer below it.
import path from 'node:path';
import type { Readable } from 'node:stream';
import { TarsError, errorMessage } from '../errors/index.js';
import { BlobFolder, readTextFile } from './blob-folder.js';
import { EmbeddedModels } from './embedded-models.js';
import { manifestDigests, serializeManifest, type Manifest } from './manifest.js';
import { ManifestFolder, type ManifestFile, type StoreLogger } from './manifest-folder.js';
import { ModelBuilder, type ModelBase } from './model-builder.js';
import { Mutex } from './mutex.js';
import { canonicalModelName, displayModelName, isSameModelName, resolveModelName } from './name.js';
import { readStoredModel } from './stored-model.js';
import type { CreateRequest, ModelName, ModelStore, ProgressStatus, StoredModel } from './types.js';
import type { DescribeWeights } from './weights.js';

export interface FolderModelStoreOptions {
  /** Folder with `manifests` and `blobs` (OLLAMA_MODELS). */
  readonly folder: string;
  /** Folder of the models inside the package. */
  readonly embeddedFolder: string;
  readonly cacheDirectory: string;
  /** Keeps blobs that no manifest names. */
  readonly isPruneDisabled: boolean;
  readonly describeWeights: DescribeWeights;
  readonly logger: StoreLogger;
}

export class FolderModelStore implements ModelStore {
  readonly #blobs: BlobFolder;
  readonly #manifests: ManifestFolder;
  readonly #embedded: EmbeddedModels;
  readonly #options: FolderModelStoreOptions;
  /** Manifests change one at a time, so that clearing blobs never races with a model that is being made of them. */
  readonly #changes = new Mutex();

  constructor(options: FolderModelStoreOptions) {
    this.#options = options;
    this.#blobs = new BlobFolder(path.join(options.folder, 'blobs'));
    this.#manifests = new ManifestFolder(path.join(options.folder, 'manifests'), options.logger);
    this.#embedded = new EmbeddedModels({ ...options, folder: options.embeddedFolder });
  }

  /** Once, before the server listens: old blob names, leftovers, and a first look at the embedded models. */
  async prepare(): Promise<void> {
    await this.#changes.run(async () => {
      await this.#blobs.renameOldBlobs();
      const { files, isComplete } = await this.#manifests.readAll();
      // With an unreadable manifest nobody knows what is unreferenced.
      if (!this.#options.isPruneDisabled && isComplete) {
        const referenced = new Set(files.flatMap(({ manifest }) => manifestDigests(manifest)));
        const numRemoved = await this.#blobs.prune(referenced, Date.now());
        if (numRemoved > 0) {
          this.#options.logger.info({ count: numRemoved }, 'removed unused blobs');
        }
      }
    });
    await this.#embedded.list();
  }

  async get(name: ModelName): Promise<StoredModel | undefined> {
    const file = await this.#findFile(name);
    if (file !== undefined) {
      return readStoredModel(file, this.#blobs, false);
    }
    const embedded = await this.#embedded.find(name);
    return embedded === undefined ? undefined : readStoredModel(embedded.file, embedded, true);
  }

  async list(): Promise<readonly StoredModel[]> {
    const { files } = await this.#manifests.readAll();
    const models: StoredModel[] = [];
    const add = async (name: ModelName, read: () => Promise<StoredModel>): Promise<void> => {
      try {
        models.push(await read());
      } catch (error) {
        this.#options.logger.warn({ model: displayModelName(name), reason: errorMessage(error) }, 'skipped a damaged model');
      }
    };
    for (const file of files) {
      await add(file.name, () => readStoredModel(file, this.#blobs, false));
    }
    for (const embedded of await this.#embedded.list()) {
      if (!files.some((file) => isSameModelName(file.name, embedded.file.name))) {
        await add(embedded.file.name, () => readStoredModel(embedded.file, embedded, true));
      }
    }
    const seconds = (model: StoredModel): number => Math.floor(model.modifiedAt.getTime() / 1000);
    return models.sort((a, b) => seconds(b) - seconds(a));
  }

  create(request: CreateRequest, onProgress: (status: ProgressStatus) => void, signal: AbortSignal): Promise<void> {
    return this.#changes.run(async () => {
      throwIfAborted(signal);
      if (request.quantize !== undefined && request.quantize !== '') {
        throw new TarsError('BAD_REQUEST', {
          reason: `unsupported quantization type ${request.quantize.toUpperCase()} - create keeps the tensor types of the file; files of these types are supported: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS, MXFP4`,
        });
      }
      const name = await this.#writableName(request.name);
      const builder = new ModelBuilder(this.#blobs, this.#options.describeWeights, onProgress);
      const base = await this.#base(request, builder);
      throwIfAborted(signal);
      const { config, layers } = await builder.build(base, request);
      throwIfAborted(signal);
      const previous = await this.#readQuietly(name);
      onProgress({ status: 'writing manifest' });
      await this.#manifests.write(name, serializeManifest(config, layers));
      if (previous !== undefined && !this.#options.isPruneDisabled) {
        await this.#removeUnreferenced(previous);
      }
      onProgress({ status: 'success' });
    });
  }

  copy(source: ModelName, destination: ModelName): Promise<void> {
    return this.#changes.run(async () => {
      const file = await this.#findFile(source);
      const embedded = file === undefined ? await this.#embedded.find(source) : undefined;
      const found = file ?? embedded?.file;
      if (found === undefined) {
        throw new TarsError('MODEL_NOT_FOUND', { model: displayModelName(source) });
      }
      if (isSameModelName(found.name, destination)) {
        return;
      }
      const target = await this.#writableName(destination);
      await embedded?.copyBlobs(this.#blobs);
      const text =
        file === undefined
          ? serializeManifest(found.manifest.config, found.manifest.layers)
          : await readTextFile(this.#manifests.path(file.name));
      await this.#manifests.write(target, text);
    });
  }

  delete(name: ModelName): Promise<void> {
    return this.#changes.run(async () => {
      const names = await this.#manifests.names();
      const stored = resolveModelName(name, names);
      if (!names.some((other) => canonicalModelName(other) === canonicalModelName(stored))) {
        const embedded = await this.#embedded.find(name);
        throw embedded === undefined
          ? new TarsError('MODEL_NOT_FOUND', { model: displayModelName(name) })
          : builtIn(embedded.file.name, 'deleted');
      }
      // A corrupt manifest can be deleted too; then there is nothing to say which blobs were its own.
      const previous = await this.#readQuietly(stored);
      await this.#manifests.remove(stored);
      if (previous !== undefined) {
        await this.#removeUnreferenced(previous);
      }
    });
  }

  async hasBlob(digest: string): Promise<boolean> {
    return (await this.#blobs.size(digest)) !== undefined;
  }

  blobPath(digest: string): string {
    return this.#blobs.blobPath(digest);
  }

  putBlob(digest: string, body: Readable): Promise<void> {
    return this.#blobs.addStream(digest, body);
  }

  async #findFile(name: ModelName): Promise<ManifestFile | undefined> {
    return this.#manifests.read(resolveModelName(name, await this.#manifests.names()));
  }

  /** Stored spelling of a name that may be written. Throws BAD_REQUEST when it would hide an embedded model. */
  async #writableName(name: ModelName): Promise<ModelName> {
    const resolved = resolveModelName(name, await this.#manifests.names());
    const embedded = await this.#embedded.find(resolved);
    if (embedded !== undefined) {
      throw builtIn(embedded.file.name, 'replaced');
    }
    return resolved;
  }

  async #base(request: CreateRequest, builder: ModelBuilder): Promise<ModelBase> {
    if (request.from === undefined) {
      if (request.files === undefined) {
        throw new TarsError('BAD_REQUEST', { reason: "neither 'from' or 'files' was specified" });
      }
      return builder.baseOfFiles(request.files);
    }
    const parent = await this.get(request.from);
    const manifest = parent === undefined ? undefined : await this.#ownedManifest(parent);
    if (parent === undefined || manifest === undefined) {
      // Ollama would pull the model here; its words for a name that the registry does not know.
      throw new TarsError('INTERNAL', { reason: 'pull model manifest: file does not exist' });
    }
    return builder.baseOfModel(parent.displayName, manifest, parent.config);
  }

  /** Manifest of a model all of whose blobs are in the folder, those of an embedded model after copying them there. */
  async #ownedManifest(model: StoredModel): Promise<Manifest | undefined> {
    if (!model.isEmbedded) {
      return (await this.#manifests.read(model.name))?.manifest;
    }
    const embedded = await this.#embedded.find(model.name);
    await embedded?.copyBlobs(this.#blobs);
    return embedded?.file.manifest;
  }

  async #readQuietly(name: ModelName): Promise<Manifest | undefined> {
    const file = await this.#manifests.read(name).catch(() => undefined);
    return file?.manifest;
  }

  async #removeUnreferenced(removed: Manifest): Promise<void> {
    const { files } = await this.#manifests.readAll();
    const referenced = new Set(files.flatMap(({ manifest }) => manifestDigests(manifest)));
    for (const digest of new Set(manifestDigests(removed))) {
      if (!referenced.has(digest)) {
        await this.#blobs.remove(digest);
      }
    }
  }
}

function builtIn(name: ModelName, verb: string): TarsError {
  const reason = `model '${displayModelName(name)}' is part of the installation and cannot be ${verb}`;
  return new TarsError('BAD_REQUEST', { reason });
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new TarsError('REQUEST_CANCELED');
  }
}
