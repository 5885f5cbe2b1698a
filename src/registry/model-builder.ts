// Builds the layers of a new model: base weights, then what the request replaces or adds. Ollama's inheritance rules.
import { open } from 'node:fs/promises';
import { TarsError, errorMessage } from '../errors/index.js';
import type { BlobFolder } from './blob-folder.js';
import { isDigest } from './digest.js';
import { humanNumber } from './human-number.js';
import { configMediaType, layerMediaTypes, type Layer, type Manifest } from './manifest.js';
import type { CreateRequest, ModelConfig, ProgressStatus } from './types.js';
import type { DescribeWeights, WeightsFacts } from './weights.js';

/** What a new model starts from: layers in manifest order and the config so far. */
export interface ModelBase {
  readonly layers: readonly Layer[];
  readonly config: ModelConfig;
}

const emptyConfig: ModelConfig = { model_format: '', model_family: '', model_type: '', file_type: '' };

function badRequest(reason: string): TarsError {
  return new TarsError('BAD_REQUEST', { reason });
}

export class ModelBuilder {
  readonly #blobs: BlobFolder;
  readonly #describeWeights: DescribeWeights;
  readonly #onProgress: (status: ProgressStatus) => void;

  constructor(blobs: BlobFolder, describeWeights: DescribeWeights, onProgress: (status: ProgressStatus) => void) {
    this.#blobs = blobs;
    this.#describeWeights = describeWeights;
    this.#onProgress = onProgress;
  }

  /** Base of `files`: uploaded GGUF blobs, one of weights and at most one projector. */
  async baseOfFiles(files: Readonly<Record<string, string>>): Promise<ModelBase> {
    const entries = Object.entries(files);
    if (entries.length === 0) {
      throw badRequest('unknown type');
    }
    const layers: Layer[] = [];
    let weights: WeightsFacts | undefined;
    for (const [fileName, digest] of entries) {
      const size = await this.#requireGguf(fileName, digest);
      this.#onProgress({ status: 'parsing GGUF' });
      const facts = await this.#describeWeights(this.#blobs.blobPath(digest));
      const isProjector = facts.family === 'clip';
      if (!isProjector && weights !== undefined) {
        throw badRequest('only one GGUF file of weights is supported; join split files first');
      }
      weights = isProjector ? weights : facts;
      layers.push({ mediaType: isProjector ? layerMediaTypes.projector : layerMediaTypes.model, digest, size });
    }
    if (weights === undefined) {
      throw badRequest('no weights among the files');
    }
    return { layers, config: configOfWeights(weights) };
  }

  /** Base of `from`: every layer of the parent and what its config says of the weights. */
  baseOfModel(parentName: string, manifest: Manifest, config: ModelConfig): ModelBase {
    const layers = manifest.layers.map((layer) => ({ ...layer, from: parentName }));
    const { renderer, parser, requires, capabilities } = config;
    const { model_format, model_family, model_families, model_type, file_type, context_length, embedding_length } = config;
    return {
      layers,
      config: {
        model_format,
        model_family,
        model_families,
        model_type,
        file_type,
        renderer,
        parser,
        requires,
        capabilities,
        context_length,
        embedding_length,
      },
    };
  }

  /** Layers and config blob of the new model; one status line for each layer, as Ollama reports them. */
  async build(base: ModelBase, request: CreateRequest): Promise<{ config: Layer; layers: readonly Layer[] }> {
    const statuses = new Map(base.layers.map((layer) => [layer, `using existing layer ${layer.digest}`]));
    let layers = [...base.layers];
    const add = async (mediaType: string, text: string): Promise<void> => {
      const { digest, size, isNew } = await this.#blobs.addText(text);
      const layer: Layer = { mediaType, digest, size };
      statuses.set(layer, `${isNew ? 'creating new layer' : 'using existing layer'} ${digest}`);
      layers.push(layer);
    };
    const replace = async (text: string, ...mediaTypes: [string, ...string[]]): Promise<void> => {
      layers = layers.filter((layer) => !mediaTypes.includes(layer.mediaType));
      await add(mediaTypes[0], text);
    };

    if (request.template !== undefined && request.template !== '') {
      await replace(request.template, layerMediaTypes.template, layerMediaTypes.prompt);
    }
    if (request.system !== undefined && request.system !== '') {
      await replace(request.system, layerMediaTypes.system);
    }
    for (const license of request.licenses ?? []) {
      await add(layerMediaTypes.license, license);
    }
    const parameters = { ...(await this.#inheritedParameters(layers)), ...request.parameters };
    if (request.parameters !== undefined && Object.keys(parameters).length > 0) {
      await replace(`${JSON.stringify(parameters)}\n`, layerMediaTypes.params);
    }
    if (request.messages !== undefined && request.messages.length > 0) {
      await replace(`${JSON.stringify(request.messages)}\n`, layerMediaTypes.messages);
    }
    for (const layer of layers) {
      this.#onProgress({ status: statuses.get(layer) ?? `using existing layer ${layer.digest}` });
    }
    const configText = JSON.stringify(mergeConfig(base.config, request));
    const { digest, size } = await this.#blobs.addText(configText);
    return { config: { mediaType: configMediaType, digest, size }, layers };
  }

  async #inheritedParameters(layers: readonly Layer[]): Promise<Record<string, unknown>> {
    const layer = layers.find(({ mediaType }) => mediaType === layerMediaTypes.params);
    if (layer === undefined) {
      return {};
    }
    const value: unknown = JSON.parse(await this.#blobs.readText(layer.digest));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  }

  /** Size of an uploaded GGUF blob. Throws Ollama's texts for a bad digest, an absent blob or another kind of file. */
  async #requireGguf(fileName: string, digest: string): Promise<number> {
    if (!isDigest(digest)) {
      throw new TarsError(digest === '' ? 'BAD_REQUEST' : 'INTERNAL', { reason: 'invalid digest format' });
    }
    const size = await this.#blobs.size(digest);
    if (size === undefined) {
      throw new TarsError('INTERNAL', { reason: `open ${this.#blobs.blobPath(digest)}: no such file or directory` });
    }
    if (!(await hasGgufMagic(this.#blobs.blobPath(digest)))) {
      if (fileName.endsWith('.safetensors')) {
        throw badRequest('safetensors files are not supported by create; supported: GGUF');
      }
      throw badRequest(fileName.endsWith('.gguf') ? 'supplied file was not in GGUF format' : 'unknown type');
    }
    return size;
  }
}

async function hasGgufMagic(filePath: string): Promise<boolean> {
  const file = await open(filePath);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.toString('latin1') === 'GGUF';
  } catch (error) {
    throw new TarsError('INTERNAL', { reason: errorMessage(error) }, { cause: error });
  } finally {
    await file.close();
  }
}

/** Facts of a weights file under the wire names of the config blob. */
export function configOfWeights(facts: WeightsFacts): ModelConfig {
  return {
    ...emptyConfig,
    model_format: facts.format,
    model_family: facts.family,
    model_families: [facts.family],
    model_type: humanNumber(facts.parameterCount),
    file_type: facts.fileType,
    context_length: facts.contextLength,
    embedding_length: facts.embeddingLength,
  };
}

function mergeConfig(base: ModelConfig, request: CreateRequest): ModelConfig {
  return {
    ...base,
    renderer: request.renderer || base.renderer,
    parser: request.parser || base.parser,
    requires: request.requires || base.requires,
    architecture: 'amd64',
    os: 'linux',
  };
}
