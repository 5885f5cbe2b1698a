// Turns a manifest and its blobs into what the server and the command line use.
import { z } from 'zod';
import type { BlobSource } from './blob-folder.js';
import { layerMediaTypes, layersOfType } from './manifest.js';
import type { ManifestFile } from './manifest-folder.js';
import { displayModelName } from './name.js';
import type { StoredMessage, StoredModel } from './types.js';

const configSchema = z.looseObject({
  model_format: z.string().default(''),
  model_family: z.string().default(''),
  model_families: z.array(z.string()).nullish(),
  model_type: z.string().default(''),
  file_type: z.string().default(''),
  renderer: z.string().optional(),
  parser: z.string().optional(),
  requires: z.string().optional(),
  capabilities: z.array(z.string()).optional(),
  context_length: z.number().optional(),
  embedding_length: z.number().optional(),
});

const parametersSchema = z.record(z.string(), z.unknown());
const messagesSchema = z.array(z.object({ role: z.string(), content: z.string() }));

/** Reads every text blob of a model; the weights are only located. Throws when a blob is absent or malformed. */
export async function readStoredModel(file: ManifestFile, blobs: BlobSource, isEmbedded: boolean): Promise<StoredModel> {
  const { manifest, name } = file;
  const lastText = async (...mediaTypes: string[]): Promise<string | undefined> => {
    const layer = layersOfType(manifest, ...mediaTypes).at(-1);
    return layer === undefined ? undefined : blobs.readText(layer.digest);
  };
  const weights = layersOfType(manifest, layerMediaTypes.model)[0];
  const parametersText = await lastText(layerMediaTypes.params);
  const messagesText = await lastText(layerMediaTypes.messages);
  return {
    name,
    displayName: displayModelName(name),
    digest: file.digest,
    sizeBytes: [manifest.config, ...manifest.layers].reduce((sum, layer) => sum + layer.size, 0),
    modifiedAt: file.modifiedAt,
    config: configSchema.parse(JSON.parse(await blobs.readText(manifest.config.digest))),
    weightsPath: weights === undefined ? '' : blobs.blobPath(weights.digest),
    weightsDigest: weights?.digest ?? '',
    template: await lastText(layerMediaTypes.template, layerMediaTypes.prompt),
    system: await lastText(layerMediaTypes.system),
    parameters: parametersText === undefined ? {} : parametersSchema.parse(JSON.parse(parametersText)),
    messages: messagesText === undefined ? [] : (messagesSchema.parse(JSON.parse(messagesText)) satisfies StoredMessage[]),
    licenses: await Promise.all(layersOfType(manifest, layerMediaTypes.license).map((layer) => blobs.readText(layer.digest))),
    parentModel: weights?.from ?? '',
    isEmbedded,
  };
}
