// Wire types of the native API: requests with their decoders, and responses with their keys in wire order. No behaviour.
import { TarsError } from '../errors/index.js';
import { goAny, goArray, goBool, goInt, goMap, goString, goStruct, type Decoder } from './go-decoder.js';
import { goImage, goMessages, goTools, type Message, type Tool, type ToolCall } from './message.js';

export type ThinkLevel = 'high' | 'medium' | 'low' | 'max';
export type ThinkValue = boolean | ThinkLevel;

export interface InferenceRequest {
  model: string;
  stream?: boolean;
  /** `"json"` or a JSON schema; the empty string means none. */
  format?: unknown;
  /** Number of seconds or Go duration; checked where it is read. */
  keep_alive?: unknown;
  /** Not typed here: a wrong type is reported by name only after the model was found. */
  options?: Record<string, unknown>;
  think?: ThinkValue;
  truncate?: boolean;
  shift?: boolean;
  _debug_render_only?: boolean;
  logprobs?: boolean;
  top_logprobs?: number;
}

export interface GenerateRequest extends InferenceRequest {
  prompt?: string;
  suffix?: string;
  system?: string;
  template?: string;
  context?: number[];
  raw?: boolean;
  images?: string[];
  /** Not in Ollama: report the log-probability of every prompt token but the first. */
  prompt_logprobs?: boolean;
}

export interface ChatRequest extends InferenceRequest {
  messages?: Message[];
  tools?: Tool[];
}

export interface LogprobToken {
  token: string;
  logprob: number;
  bytes: readonly number[];
}

export interface Logprob extends LogprobToken {
  top_logprobs?: readonly LogprobToken[];
}

/** Only on the last object; durations in nanoseconds. */
export interface ResponseMetrics {
  total_duration?: number;
  load_duration?: number;
  prompt_eval_count?: number;
  prompt_eval_duration?: number;
  eval_count?: number;
  eval_duration?: number;
}

export interface DebugInfo {
  rendered_template: string;
  image_count?: number;
}

export interface GenerateResponse extends ResponseMetrics {
  model: string;
  created_at: string;
  response: string;
  thinking?: string;
  done: boolean;
  done_reason?: string;
  context?: readonly number[];
  tool_calls?: ToolCall[];
  _debug_info?: DebugInfo;
  logprobs?: Logprob[];
  prompt_logprobs?: readonly Logprob[];
}

export interface ChatResponse extends ResponseMetrics {
  model: string;
  created_at: string;
  message: Message;
  done: boolean;
  done_reason?: string;
  _debug_info?: DebugInfo;
  logprobs?: Logprob[];
}

export interface ModelDetails {
  parent_model: string;
  format: string;
  family: string;
  families: string[] | null;
  parameter_size: string;
  quantization_level: string;
  context_length?: number;
  embedding_length?: number;
}

export interface ListedModel {
  name: string;
  model: string;
  modified_at: string;
  size: number;
  digest: string;
  details: ModelDetails;
  capabilities?: string[];
}

export interface RunningModel {
  name: string;
  model: string;
  size: number;
  digest: string;
  details: ModelDetails;
  expires_at: string;
  size_vram: number;
  context_length: number;
}

export interface ShowRequest {
  model?: string;
  name?: string;
  verbose?: boolean;
  system?: string;
  template?: string;
  options?: Record<string, unknown>;
}

export interface ShowResponse {
  license?: string;
  modelfile?: string;
  parameters?: string;
  template?: string;
  system?: string;
  details: ModelDetails;
  messages?: readonly { role: string; content: string }[];
  model_info: Record<string, unknown>;
  tensors?: readonly { name: string; type: string; shape: readonly number[] }[];
  capabilities?: readonly string[];
  modified_at: string;
  requires?: string;
}

export interface CreateWireRequest {
  model?: string;
  name?: string;
  from?: string;
  files?: Record<string, string>;
  adapters?: Record<string, string>;
  quantize?: string;
  quantization?: string;
  template?: string;
  system?: string;
  license?: unknown;
  parameters?: Record<string, unknown>;
  messages?: Message[];
  renderer?: string;
  parser?: string;
  requires?: string;
  stream?: boolean;
}

export interface CopyRequest {
  source?: string;
  destination?: string;
}

export interface DeleteRequest {
  model?: string;
  name?: string;
}

const levels = ['high', 'medium', 'low', 'max'] as const satisfies readonly ThinkLevel[];
const thinkChoices = '"high", "medium", "low", "max"';

const goThink: Decoder<ThinkValue> = (value) => {
  if (typeof value === 'boolean') {
    return value;
  }
  const level = levels.find((word) => word === value);
  if (level !== undefined) {
    return level;
  }
  const reason =
    typeof value === 'string'
      ? `invalid think value: ${JSON.stringify(value)} (must be ${thinkChoices}, true, or false)`
      : `think must be a boolean or string (${thinkChoices}, true, or false)`;
  throw new TarsError('BAD_REQUEST', { reason });
};

const goOptions: Decoder<Record<string, unknown>> = goMap(goAny, 'map[string]interface {}', undefined);
const goDigests: Decoder<Record<string, string>> = goMap(goString, 'map[string]string', '');

const inferenceFields = {
  model: goString,
  stream: goBool,
  format: goAny,
  keep_alive: goAny,
  options: goOptions,
  think: goThink,
  truncate: goBool,
  shift: goBool,
  _debug_render_only: goBool,
  logprobs: goBool,
  top_logprobs: goInt,
} as const;

/** A body decoder and the Go type that errors about the whole body name. */
export interface BodyDecoder<T> {
  readonly decode: Decoder<Partial<T>>;
  readonly goType: string;
}

function body<T>(name: string, decode: Decoder<Partial<T>>): BodyDecoder<T> {
  return { decode, goType: `api.${name}` };
}

export const generateRequestBody: BodyDecoder<GenerateRequest> = body(
  'GenerateRequest',
  goStruct<GenerateRequest>('GenerateRequest', {
    ...inferenceFields,
    prompt: goString,
    suffix: goString,
    system: goString,
    template: goString,
    context: goArray(goInt, '[]int', 0),
    raw: goBool,
    images: goArray(goImage, '[]api.ImageData', ''),
    prompt_logprobs: goBool,
  }),
);

export const chatRequestBody: BodyDecoder<ChatRequest> = body(
  'ChatRequest',
  goStruct<ChatRequest>('ChatRequest', { ...inferenceFields, messages: goMessages, tools: goTools }),
);

export const showRequestBody: BodyDecoder<ShowRequest> = body(
  'ShowRequest',
  goStruct<ShowRequest>('ShowRequest', {
    model: goString,
    name: goString,
    verbose: goBool,
    system: goString,
    template: goString,
    options: goOptions,
  }),
);

export const createRequestBody: BodyDecoder<CreateWireRequest> = body(
  'CreateRequest',
  goStruct<CreateWireRequest>('CreateRequest', {
    model: goString,
    name: goString,
    from: goString,
    files: goDigests,
    adapters: goDigests,
    quantize: goString,
    quantization: goString,
    template: goString,
    system: goString,
    license: goAny,
    parameters: goOptions,
    messages: goMessages,
    renderer: goString,
    parser: goString,
    requires: goString,
    stream: goBool,
  }),
);

export const copyRequestBody: BodyDecoder<CopyRequest> = body(
  'CopyRequest',
  goStruct<CopyRequest>('CopyRequest', { source: goString, destination: goString }),
);

export const deleteRequestBody: BodyDecoder<DeleteRequest> = body(
  'DeleteRequest',
  goStruct<DeleteRequest>('DeleteRequest', { model: goString, name: goString }),
);
