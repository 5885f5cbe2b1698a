// Checks of a request before a model is loaded, in Ollama's order and words.
import type { InferenceRequest, ThinkValue } from '../../api/index.js';
import { parseKeepAlive } from '../../config/index.js';
import { TarsError } from '../../errors/index.js';
import { canonicalModelName, type StoredModel } from '../../registry/index.js';
import { jsonObjectGrammar, schemaGrammar, SchemaError } from '../../sampling/index.js';
import { mergeOptions, type RequestOptions } from '../request-options.js';

const maxTopLogprobs = 20;

/** What needs no model: `top_logprobs` and `keep_alive`. Returns the latter in milliseconds. */
export function checkBody({ top_logprobs = 0, keep_alive }: Partial<InferenceRequest>): number | undefined {
  const keepAliveMs = parseKeepAlive(keep_alive);
  if (top_logprobs < 0 || top_logprobs > maxTopLogprobs) {
    throw new TarsError('BAD_REQUEST', { reason: `top_logprobs must be between 0 and ${maxTopLogprobs}` });
  }
  return keepAliveMs;
}

/** Thinking to use: on by default for a model that can, refused for one that cannot. `name` is the model as it was sent. */
export function resolveThinking(
  requested: ThinkValue | undefined,
  capabilities: readonly string[],
  name: string,
): ThinkValue | undefined {
  if (capabilities.includes('thinking')) {
    return requested ?? true;
  }
  if (requested !== undefined && requested !== false) {
    throw new TarsError('CAPABILITY_MISSING', { model: JSON.stringify(name), capability: 'thinking' });
  }
  return undefined;
}

export function isThinking(think: ThinkValue | undefined): boolean {
  return think !== undefined && think !== false;
}

/** `operation` is what the model cannot do without the completion capability: `chat` or `generate`. */
export function requireCompletion(capabilities: readonly string[], name: string, operation: string): void {
  if (!capabilities.includes('completion')) {
    throw new TarsError('CAPABILITY_MISSING', { model: JSON.stringify(name), capability: operation });
  }
}

export function requireCapability(capabilities: readonly string[], model: StoredModel, capability: 'tools' | 'insert'): void {
  if (!capabilities.includes(capability)) {
    throw new TarsError('CAPABILITY_MISSING', { model: canonicalModelName(model.name), capability });
  }
}

/** The grammar that a request's `format` keeps the answer to: any JSON object, or what a JSON Schema allows. */
export function formatGrammar(format: unknown): string | undefined {
  if (format === undefined || format === null || format === '') {
    return undefined;
  }
  if (format === 'json') {
    return jsonObjectGrammar;
  }
  if (typeof format !== 'object' || Array.isArray(format)) {
    throw new TarsError('FORMAT_INVALID', { format: JSON.stringify(JSON.stringify(format)) });
  }
  try {
    return schemaGrammar(format);
  } catch (error) {
    if (error instanceof SchemaError) {
      throw new TarsError('FORMAT_SCHEMA_INVALID', { reason: error.message });
    }
    throw error;
  }
}

/** `isNative`: the chat goes by the template of the weights, where Ollama's engine words its refusal in another way. */
export function refuseImages(numImages: number, isNative = false): void {
  if (numImages > 0 && isNative) {
    const hint = 'hint: if this is unexpected, you may need to provide the mmproj';
    throw engineRefusal(500, `image input is not supported - ${hint}`, 'server_error');
  }
  if (numImages > 0) {
    throw engineRefusal(400, 'Multimodal data provided, but model does not support multimodal requests.');
  }
}

/** Merged options (see mergeOptions), without the values that Ollama's engine refuses. */
export function checkedOptions(...maps: Parameters<typeof mergeOptions>): RequestOptions {
  const options = mergeOptions(...maps);
  const { repeatPenalty, repeatLastN } = options.sampling;
  if (!(repeatPenalty > 0)) {
    throw engineRefusal(400, 'Failed to initialize samplers: penalty_repeat must be finite and greater than 0');
  }
  if (repeatLastN < 0) {
    throw engineRefusal(400, `Field 'repeat_last_n': Value must be between 0 <= value <= 2147483647, but got ${repeatLastN}`);
  }
  return options;
}

/** Ollama passes a refusal of its engine on as a JSON document inside the error text; clients look for its words. */
function engineRefusal(code: 400 | 500, message: string, type = 'invalid_request_error'): TarsError {
  const reason = JSON.stringify({ error: { code, message, type } });
  return new TarsError(code === 400 ? 'BAD_REQUEST' : 'INTERNAL', { reason });
}
