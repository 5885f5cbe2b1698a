export { decodeGo, type Decoder } from './go-decoder.js';
export { encodeGoJson } from './go-json.js';
export { parseGoJson } from './go-syntax.js';
export type { Message, Tool, ToolCall, ToolCallFunction, ToolFunction, ToolParameters, ToolProperty } from './message.js';
export * from './ollama.js';
