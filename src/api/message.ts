// Messages, tools and tool calls of the native API: wire types and decoders, no behaviour.
import { TarsError } from '../errors/index.js';
import { base64ErrorOffset } from './base64.js';
import { goAny, goArray, goInt, goMap, goString, goStruct, type Decoder } from './go-decoder.js';

export interface ToolCallFunction {
  index?: number;
  name: string;
  /** Key order is kept. */
  arguments: Record<string, unknown>;
}

export interface ToolCall {
  id?: string;
  function: ToolCallFunction;
}

/** Keys in wire order. */
export interface Message {
  role: string;
  content: string;
  thinking?: string;
  /** Base64, checked. */
  images?: string[];
  tool_calls?: ToolCall[];
  tool_name?: string;
  tool_call_id?: string;
}

/** The JSON-schema words that a tool's parameters may use; others are dropped before the prompt is rendered. */
export interface ToolProperty {
  anyOf?: ToolProperty[];
  /** One type is a string, several are a list. */
  type?: string | string[];
  items?: unknown;
  description?: string;
  enum?: unknown[];
  properties?: Record<string, ToolProperty>;
  required?: string[];
}

export interface ToolParameters {
  type: string;
  $defs?: unknown;
  items?: unknown;
  required?: string[];
  properties: Record<string, ToolProperty>;
}

export interface ToolFunction {
  name: string;
  description?: string;
  parameters: ToolParameters;
}

export interface Tool {
  type: string;
  items?: unknown;
  function: ToolFunction;
}

/** Base64 data as a client sent it; Go reports the byte at which it is wrong. */
export const goImage: Decoder<string> = (value, path) => {
  const text = typeof value === 'string' ? value : undefined;
  if (text === undefined) {
    if (value !== null) {
      path.reportType(value, 'api.ImageData');
    }
    return undefined;
  }
  const offset = base64ErrorOffset(text);
  if (offset !== undefined) {
    path.report(`illegal base64 data at input byte ${offset}`);
  }
  return text;
};

/** An object whose key order matters. Ollama's ordered-map reader words the error for anything else. */
function orderedObject(value: unknown): Record<string, unknown> | undefined {
  if (value === null || value === undefined) {
    return undefined;
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new TarsError('BAD_REQUEST', { reason: "Value looks like object, but can't find closing '}' symbol" });
  }
  return value as Record<string, unknown>;
}

const goArguments: Decoder<Record<string, unknown>> = (value) => orderedObject(value);

const decodeToolCallFunction = goStruct<ToolCallFunction>('ToolCallFunction', {
  index: goInt,
  name: goString,
  arguments: goArguments,
});

const decodeToolCallFields = goStruct<{ id: string; function: Partial<ToolCallFunction> }>('ToolCall', {
  id: goString,
  function: decodeToolCallFunction,
});

const goToolCall: Decoder<ToolCall> = (value, path) => {
  const call = decodeToolCallFields(value, path);
  if (call === undefined) {
    return undefined;
  }
  const { index = 0, name = '', arguments: args = {} } = call.function ?? {};
  return { ...(call.id && { id: call.id }), function: { index, name, arguments: args } };
};

const emptyToolCall: ToolCall = { function: { index: 0, name: '', arguments: {} } };

const decodeMessageFields = goStruct<Message>(
  'Alias',
  {
    role: goString,
    content: goString,
    thinking: goString,
    images: goArray(goImage, '[]api.ImageData', ''),
    tool_calls: goArray(goToolCall, '[]api.ToolCall', emptyToolCall),
    tool_name: goString,
    tool_call_id: goString,
  },
  'api.Alias',
);

/** A message; roles are lower-cased and not validated, a missing content is empty. */
export const goMessage: Decoder<Message> = (value, path) => {
  const fields = decodeMessageFields(value, path);
  if (fields === undefined) {
    return undefined;
  }
  const { role = '', content = '', ...rest } = fields;
  return { role: role.toLowerCase(), content, ...rest };
};

export const goMessages: Decoder<Message[]> = goArray(goMessage, '[]api.Message', { role: '', content: '' });

const goPropertyType: Decoder<string | string[]> = (value, path) => {
  if (typeof value === 'string') {
    return value;
  }
  if (!Array.isArray(value) || !value.every((item): item is string => typeof item === 'string')) {
    path.reportType(value, '[]string');
    return undefined;
  }
  const [first, ...others] = value;
  return others.length === 0 ? first : value;
};

const goPropertyMap: Decoder<Record<string, ToolProperty>> = (value, path) => {
  const properties = orderedObject(value);
  return properties === undefined ? undefined : goMap<ToolProperty>(goProperty, 'map', {})(properties, path);
};

const goProperty: Decoder<ToolProperty> = (value, path) => decodeProperty(value, path);

const goAnyArray: Decoder<unknown[]> = goArray(goAny, '[]interface {}', null);

const decodeProperty = goStruct<ToolProperty>('ToolProperty', {
  anyOf: goArray<ToolProperty>(goProperty, '[]api.ToolProperty', {}),
  type: goPropertyType,
  items: goAny,
  description: goString,
  enum: goAnyArray,
  properties: goPropertyMap,
  required: goArray(goString, '[]string', ''),
});

const decodeParameters = goStruct<ToolParameters>('ToolFunctionParameters', {
  type: goString,
  $defs: goAny,
  items: goAny,
  required: goArray(goString, '[]string', ''),
  properties: goPropertyMap,
});

const decodeToolFunction = goStruct<{ name: string; description: string; parameters: Partial<ToolParameters> }>('ToolFunction', {
  name: goString,
  description: goString,
  parameters: decodeParameters,
});

const decodeToolFields = goStruct<{ type: string; items: unknown; function: ReturnType<typeof decodeToolFunction> }>('Tool', {
  type: goString,
  items: goAny,
  function: decodeToolFunction,
});

const emptyTool: Tool = { type: '', function: { name: '', parameters: { type: '', properties: {} } } };

/** A tool with its keys in wire order and only the words that the prompt may see. */
const goTool: Decoder<Tool> = (value, path) => {
  const tool = decodeToolFields(value, path);
  if (tool === undefined) {
    return undefined;
  }
  const { name = '', description, parameters = {} } = tool.function ?? {};
  const { type = '', properties = {}, ...others } = parameters;
  return {
    type: tool.type ?? '',
    ...(tool.items !== undefined && { items: tool.items }),
    function: { name, ...(description && { description }), parameters: { type, ...others, properties } },
  };
};

export const goTools: Decoder<Tool[]> = goArray(goTool, 'api.Tools', emptyTool);
