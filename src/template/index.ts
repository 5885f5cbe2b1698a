export { goCapabilities, jinjaCapabilities, type TemplateCapabilities } from './capabilities.js';
export { compileChatTemplate, type ChatTemplate, type RenderRequest, type SpecialTokens } from './chat-template.js';
export { GoTemplate } from './go/index.js';
export { inferThinkingTags, inferToolCallTag } from './inference.js';
export { defaultOllamaTemplate, OllamaTemplate, type OllamaRenderRequest } from './ollama-template.js';
export { plainPrompt } from './plain-prompt.js';
export { defaultThinkingTags, ThinkingParser, type ThinkingPiece, type ThinkingTags } from './thinking-parser.js';
export {
  createToolCallParser,
  jinjaToolCallFormat,
  type ParsedToolCall,
  type ToolCallFormat,
  type ToolCallParser,
  type ToolCallPiece,
} from './tool-call-parser.js';
