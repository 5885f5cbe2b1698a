// A model's chat template, Jinja or Go, behind one interface.
import type { Message, ThinkValue, Tool } from '../../api/index.js';
import type { TemplateCapabilities, ThinkingTags, ToolCallFormat } from '../../template/index.js';

export interface PromptInput {
  readonly messages: readonly Message[];
  readonly tools: readonly Tool[];
  /** undefined when the model does not think. */
  readonly think: ThinkValue | undefined;
}

export interface PromptTemplate {
  /** `jinja` is the template inside the weights, `go` the TEMPLATE of the Modelfile. */
  readonly kind: 'jinja' | 'go';
  /** Source, as `/api/show` gives it. */
  readonly text: string;
  readonly capabilities: TemplateCapabilities;
  readonly thinkingTags: ThinkingTags;
  readonly toolCallFormat: ToolCallFormat;
  /** Prompt that ends where the assistant's answer begins. Throws TEMPLATE_REFUSED, TEMPLATE_FAILED. */
  render(input: PromptInput): string;
  /** Fill in the middle: the prompt for a text between two others. */
  renderInsert(prompt: string, suffix: string): string;
}
