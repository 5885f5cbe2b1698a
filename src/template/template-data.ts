// Messages and tools as the values that Ollama's Go templates see.
import type { Message, Tool, ToolCall, ToolProperty } from '../api/index.js';
import { fromJson, GoList, GoMap, GoStruct, type GoField, type GoValue } from './go/index.js';

function field(value: GoValue, wire?: string, omitEmpty = false): GoField {
  return wire === undefined ? { value } : { value, wire, omitEmpty };
}

export function messageValue(message: Message): GoValue {
  return new GoStruct('*template.templateMessage', {
    Role: field(message.role, 'role'),
    Content: field(message.content, 'content'),
    Thinking: field(message.thinking ?? '', 'thinking', true),
    Images: field(new GoList(message.images ?? []), 'images', true),
    ToolCalls: field(new GoList((message.tool_calls ?? []).map(toolCallValue)), 'tool_calls', true),
    ToolName: field(message.tool_name ?? '', 'tool_name', true),
    ToolCallID: field(message.tool_call_id ?? '', 'tool_call_id', true),
  });
}

function toolCallValue(call: ToolCall): GoValue {
  const target = new GoStruct('template.templateToolCallFunction', {
    Index: field(call.function.index ?? 0, 'index'),
    Name: field(call.function.name, 'name'),
    // Plain maps: their keys come out sorted.
    Arguments: field(fromJson(call.function.arguments, true), 'arguments'),
  });
  return new GoStruct('template.templateToolCall', { ID: field(call.id ?? '', 'id', true), Function: field(target, 'function') });
}

/** Printing the list gives its JSON. */
export function toolsValue(tools: readonly Tool[]): GoValue {
  return new GoList(tools.map(toolValue), true);
}

function toolValue(tool: Tool): GoValue {
  const { name, description, parameters } = tool.function;
  const properties = Object.entries(parameters.properties).map(([key, value]) => [key, propertyValue(value)] as const);
  const parametersValue = new GoStruct('template.templateToolFunctionParameters', {
    Type: field(parameters.type, 'type'),
    Defs: field(fromJson(parameters.$defs), '$defs', true),
    Items: field(fromJson(parameters.items), 'items', true),
    Required: field(fromJson(parameters.required), 'required', true),
    Properties: field(new GoMap(new Map(properties), true), 'properties'),
  });
  const target = new GoStruct(
    'template.templateToolFunction',
    {
      Name: field(name, 'name'),
      Description: field(description ?? '', 'description'),
      Parameters: field(parametersValue, 'parameters'),
    },
    true,
  );
  const fields = {
    Type: field(tool.type, 'type'),
    Items: field(fromJson(tool.items), 'items', true),
    Function: field(target, 'function'),
  };
  return new GoStruct('template.templateTool', fields, true);
}

function propertyValue(property: ToolProperty): GoValue {
  const inner = property.properties;
  return new GoStruct('api.ToolProperty', {
    AnyOf: field(new GoList((property.anyOf ?? []).map(propertyValue)), 'anyOf', true),
    Type: field(fromJson(property.type), 'type', true),
    Items: field(fromJson(property.items), 'items', true),
    Description: field(property.description ?? '', 'description', true),
    Enum: field(new GoList((property.enum ?? []).map((value) => fromJson(value))), 'enum', true),
    Properties: field(
      inner === undefined ? null : new GoMap(new Map(Object.entries(inner).map(([key, value]) => [key, propertyValue(value)]))),
      'properties',
      true,
    ),
    Required: field(fromJson(property.required), 'required', true),
  });
}
