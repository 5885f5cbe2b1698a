// Model names: `[scheme://][host/][namespace/]model[:tag]`, with Ollama's defaults, limits and display forms.
import type { ModelName } from './types.js';

export const defaultHost = 'registry.ollama.ai';
export const defaultNamespace = 'library';
export const defaultTag = 'latest';

/** The longest name that can be valid; anything longer is refused before any other work is done on it. */
const maxNameLength = 350 + 3 * 80 + 'https://'.length + 3;

const patterns = {
  host: /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}$/,
  namespace: /^[A-Za-z0-9_][A-Za-z0-9_-]{0,79}$/,
  model: /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/,
  tag: /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/,
} as const satisfies Record<keyof ModelName, RegExp>;

const nameParts = ['host', 'namespace', 'model', 'tag'] as const satisfies readonly (keyof ModelName)[];

/** True when every part obeys the grammar; such a name is safe as a path below the manifest folder. */
export function isValidModelName(name: ModelName): boolean {
  return nameParts.every((part) => patterns[part].test(name[part]));
}

/** Splits off what follows the last separator; an empty piece beside a separator stays empty and so fails validation. */
function cutLast(text: string, separator: string): { before: string; after: string } | undefined {
  const at = text.lastIndexOf(separator);
  return at < 0 ? undefined : { before: text.slice(0, at), after: text.slice(at + separator.length) };
}

/** Name with the defaults filled in, or undefined when the text does not obey the grammar. */
export function parseModelName(text: string): ModelName | undefined {
  if (text.length === 0 || text.length > maxNameLength) {
    return undefined;
  }
  const hasTag = text.lastIndexOf(':') > text.lastIndexOf('/');
  const tagCut = hasTag ? cutLast(text, ':') : undefined;
  const modelCut = cutLast(tagCut?.before ?? text, '/');
  const namespaceCut = modelCut === undefined ? undefined : cutLast(modelCut.before, '/');
  const host = namespaceCut?.before;
  const name: ModelName = {
    host: host === undefined ? defaultHost : host.slice(host.indexOf('://') < 0 ? 0 : host.indexOf('://') + 3),
    namespace: namespaceCut?.after ?? modelCut?.before ?? defaultNamespace,
    model: modelCut?.after ?? tagCut?.before ?? text,
    tag: tagCut?.after ?? defaultTag,
  };
  return isValidModelName(name) ? name : undefined;
}

/** Shortest form that still shows the tag: `llama3.2:latest`, `ada/m:v1`, `hf.co/a/b:Q4_K_M`. */
export function displayModelName(name: ModelName): string {
  const short = `${name.model}:${name.tag}`;
  if (name.host !== defaultHost) {
    return `${name.host}/${name.namespace}/${short}`;
  }
  return name.namespace === defaultNamespace ? short : `${name.namespace}/${short}`;
}

/** `host/namespace/model:tag`. */
export function canonicalModelName(name: ModelName): string {
  return `${name.host}/${name.namespace}/${name.model}:${name.tag}`;
}

export function isSameModelName(a: ModelName, b: ModelName): boolean {
  return canonicalModelName(a).toLowerCase() === canonicalModelName(b).toLowerCase();
}

/** Gives each part the spelling of any stored name that equals it but for case, as Ollama resolves names. */
export function resolveModelName(name: ModelName, stored: Iterable<ModelName>): ModelName {
  const resolved = { ...name };
  for (const other of stored) {
    for (const part of nameParts) {
      if (resolved[part].toLowerCase() === other[part].toLowerCase()) {
        resolved[part] = other[part];
      }
    }
  }
  return resolved;
}
