import type { GoTemplate } from './go/index.js';
import { inferThinkingTags } from './inference.js';

export interface TemplateCapabilities {
  readonly tools: boolean;
  readonly thinking: boolean;
  /** Fill in the middle: the template has a place for a suffix. */
  readonly insert: boolean;
}

/** What a Jinja chat template can do, judged by its text as Ollama judges it. */
export function jinjaCapabilities(source: string): TemplateCapabilities {
  const hasTags = source.includes('<think>') && source.includes('</think>');
  const splitsThinking = /split\(\s*['"]<\/think>['"]\s*\)/.test(source) && !source.includes('reasoning_content');
  return {
    tools: source.includes('tools') || source.includes('tool_call'),
    thinking: hasTags || splitsThinking,
    insert: false,
  };
}

/** What a Go template can do, judged by the variables it names. */
export function goCapabilities(template: GoTemplate): TemplateCapabilities {
  const names = template.identifiers();
  return { tools: names.has('tools'), insert: names.has('suffix'), thinking: inferThinkingTags(template) !== undefined };
}
