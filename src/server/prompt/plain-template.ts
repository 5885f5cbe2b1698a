import { defaultOllamaTemplate, defaultThinkingTags, plainPrompt } from '../../template/index.js';
import type { PromptInput, PromptTemplate } from './prompt-template.js';

/** For a model that has no template anywhere: the texts of the conversation and nothing else. */
export class PlainPromptTemplate implements PromptTemplate {
  readonly kind = 'go';
  readonly text = defaultOllamaTemplate;
  readonly capabilities: PromptTemplate['capabilities'] = { tools: false, thinking: false, insert: false };
  readonly thinkingTags = defaultThinkingTags;
  readonly toolCallFormat: PromptTemplate['toolCallFormat'] = { kind: 'generic', tag: '{' };

  render({ messages }: PromptInput): string {
    return plainPrompt(messages);
  }

  renderInsert(prompt: string): string {
    return prompt;
  }
}
