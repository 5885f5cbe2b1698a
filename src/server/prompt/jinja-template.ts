import { TarsError } from '../../errors/index.js';
import {
  compileChatTemplate,
  defaultThinkingTags,
  jinjaCapabilities,
  jinjaToolCallFormat,
  type ChatTemplate,
} from '../../template/index.js';
import type { SpecialTokenTexts } from '../model-facts.js';
import type { PromptInput, PromptTemplate } from './prompt-template.js';

/** The template inside the weights. It is compiled with the first prompt, so that a listing costs nothing. */
export class JinjaPromptTemplate implements PromptTemplate {
  readonly kind = 'jinja';
  readonly thinkingTags = defaultThinkingTags;
  readonly capabilities;
  readonly toolCallFormat;
  readonly #tokens: SpecialTokenTexts;
  #compiled: ChatTemplate | undefined;

  constructor(
    readonly text: string,
    tokens: SpecialTokenTexts,
  ) {
    this.#tokens = tokens;
    this.capabilities = jinjaCapabilities(text);
    this.toolCallFormat = jinjaToolCallFormat(text);
  }

  render({ messages, tools, think }: PromptInput): string {
    this.#compiled ??= compileChatTemplate(this.text, this.#tokens);
    const prompt = this.#compiled.render({
      messages,
      tools,
      addGenerationPrompt: true,
      ...(think !== undefined && { enableThinking: think !== false }),
      ...(typeof think === 'string' && { reasoningEffort: think }),
    });
    // The tokenizer adds BOS itself: a second one would shift the model off what it was trained on.
    const { bosToken, addsBos } = this.#tokens;
    return addsBos && bosToken !== undefined && prompt.startsWith(bosToken) ? prompt.slice(bosToken.length) : prompt;
  }

  renderInsert(): string {
    throw new TarsError('TEMPLATE_FAILED', { reason: 'a chat template has no place for a suffix' });
  }
}
