// From a name in a request to a stored model.
import { TarsError } from '../errors/index.js';
import { parseModelName, type ModelName, type StoredModel } from '../registry/index.js';
import type { RunnableModel } from '../runners/index.js';
import type { Services } from './services.js';

/** Splits off `:local`, which forces the local model. Throws BAD_REQUEST when the name also says `:cloud`. */
export function localName(text: string): string {
  if (!/:local$/i.test(text)) {
    return text;
  }
  const name = text.slice(0, -':local'.length);
  if (/(?::|-)cloud$/i.test(name)) {
    throw new TarsError('BAD_REQUEST', { reason: `use either :local or :cloud, not both: ${JSON.stringify(text)}` });
  }
  return name;
}

/** Parsed name. Throws MODEL_NAME_INVALID. */
export function requireModelName(text: string): ModelName {
  const name = parseModelName(localName(text));
  if (name === undefined) {
    throw new TarsError('MODEL_NAME_INVALID');
  }
  return name;
}

/** Stored model of a request. Throws MODEL_NAME_INVALID, or MODEL_NOT_FOUND with the name as it was sent. */
export async function requireModel({ store }: Services, text: string): Promise<StoredModel> {
  const model = await store.get(requireModelName(text));
  if (model === undefined) {
    throw new TarsError('MODEL_NOT_FOUND', { model: text });
  }
  return model;
}

export function runnableModel(model: StoredModel): RunnableModel {
  const { displayName, digest, weightsPath, weightsDigest } = model;
  return { displayName, digest, weightsPath, weightsDigest };
}
