import { defaultThinkingTags, OllamaTemplate } from '../../template/index.js';
import type { PromptInput, PromptTemplate } from './prompt-template.js';

/** The TEMPLATE of a Modelfile or of a request. Throws TEMPLATE_FAILED when it does not parse. */
export class GoPromptTemplate implements PromptTemplate {
  readonly kind = 'go';
  readonly #template: OllamaTemplate;

  constructor(readonly text: string) {
    this.#template = new OllamaTemplate(text);
  }

  get capabilities(): PromptTemplate['capabilities'] {
    return this.#template.capabilities;
  }

  get thinkingTags(): PromptTemplate['thinkingTags'] {
    return this.#template.thinkingTags ?? defaultThinkingTags;
  }

  get toolCallFormat(): PromptTemplate['toolCallFormat'] {
    return this.#template.toolCallFormat;
  }

  render({ messages, tools, think }: PromptInput): string {
    return this.#template.render({ messages, tools, ...(think !== undefined && { think }) });
  }

  renderInsert(prompt: string, suffix: string): string {
    return this.#template.renderInsert(prompt, suffix);
  }
}
