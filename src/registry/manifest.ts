// The manifest of a model: which blobs it is made of. Byte layout as Ollama writes it.
import { z } from 'zod';
import { isDigest } from './digest.js';

export const manifestMediaType = 'application/vnd.docker.distribution.manifest.v2+json';
export const configMediaType = 'application/vnd.docker.container.image.v1+json';

export const layerMediaTypes = {
  model: 'application/vnd.ollama.image.model',
  projector: 'application/vnd.ollama.image.projector',
  template: 'application/vnd.ollama.image.template',
  /** Old name of `template`. */
  prompt: 'application/vnd.ollama.image.prompt',
  system: 'application/vnd.ollama.image.system',
  params: 'application/vnd.ollama.image.params',
  messages: 'application/vnd.ollama.image.messages',
  license: 'application/vnd.ollama.image.license',
} as const;

const layerSchema = z.object({
  mediaType: z.string(),
  digest: z.string().refine(isDigest, 'malformed digest'),
  size: z.number().int().nonnegative(),
  from: z.string().optional(),
  name: z.string().optional(),
});

const manifestSchema = z.object({
  schemaVersion: z.number().int(),
  mediaType: z.string().optional(),
  config: layerSchema,
  layers: z.array(layerSchema),
});

export type Layer = z.infer<typeof layerSchema>;
export type Manifest = z.infer<typeof manifestSchema>;

/** Throws (SyntaxError or ZodError) on anything that is not a manifest. */
export function parseManifest(text: string): Manifest {
  return manifestSchema.parse(JSON.parse(text));
}

/** Key order and final newline are those of Ollama, so equal contents give equal model digests. */
export function serializeManifest(config: Layer, layers: readonly Layer[]): string {
  const ordered = ({ mediaType, digest, size, from, name }: Layer): Layer => ({ mediaType, digest, size, from, name });
  const manifest = { schemaVersion: 2, mediaType: manifestMediaType, config: ordered(config), layers: layers.map(ordered) };
  return `${JSON.stringify(manifest)}\n`;
}

export function layersOfType(manifest: Manifest, ...mediaTypes: string[]): readonly Layer[] {
  return manifest.layers.filter((layer) => mediaTypes.includes(layer.mediaType));
}

/** Digests of every blob that the manifest needs. */
export function manifestDigests(manifest: Manifest): readonly string[] {
  return [manifest.config, ...manifest.layers].map((layer) => layer.digest.replace('sha256-', 'sha256:').toLowerCase());
}
