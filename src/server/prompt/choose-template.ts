// Which of a model's two possible templates is used, by Ollama's rule.
import type { GoTemplateChoice } from '../../config/index.js';
import { TarsError } from '../../errors/index.js';
import { defaultOllamaTemplate, jinjaCapabilities, OllamaTemplate, type TemplateCapabilities } from '../../template/index.js';
import type { SpecialTokenTexts } from '../model-facts.js';
import { GoPromptTemplate } from './go-template.js';
import { JinjaPromptTemplate } from './jinja-template.js';
import { PlainPromptTemplate } from './plain-template.js';
import type { PromptTemplate } from './prompt-template.js';

export interface TemplateChoice {
  readonly kind: PromptTemplate['kind'];
  readonly text: string;
  readonly capabilities: TemplateCapabilities;
  /** The model has no template of its own. */
  readonly isDefault: boolean;
}

const noCapabilities: TemplateCapabilities = { tools: false, thinking: false, insert: false };

/** `goText` is the TEMPLATE of the manifest, `jinjaText` the chat template inside the weights. */
export function chooseTemplate(
  goText: string | undefined,
  jinjaText: string | undefined,
  goTemplate: GoTemplateChoice,
): TemplateChoice {
  const go = goText === undefined || goText === '' ? undefined : goChoice(goText);
  const jinja = jinjaText === undefined || jinjaText === '' ? undefined : jinjaChoice(jinjaText);
  if (go !== undefined && jinja !== undefined) {
    const isJinjaBetter = goTemplate === 'off' || (goTemplate === 'auto' && isAbler(jinja, go));
    return isJinjaBetter ? jinja : go;
  }
  return go ?? jinja ?? { kind: 'go', text: defaultOllamaTemplate, capabilities: noCapabilities, isDefault: true };
}

/** The compiled form of a choice. Throws TEMPLATE_FAILED. */
export function createPromptTemplate(choice: TemplateChoice, tokens: SpecialTokenTexts): PromptTemplate {
  if (choice.isDefault) {
    return new PlainPromptTemplate();
  }
  return choice.kind === 'go' ? new GoPromptTemplate(choice.text) : new JinjaPromptTemplate(choice.text, tokens);
}

/** Template of a single request (`template` of `/api/generate`). Throws TEMPLATE_FAILED. */
export function createOverrideTemplate(text: string): PromptTemplate {
  return new GoPromptTemplate(text);
}

function jinjaChoice(text: string): TemplateChoice {
  return { kind: 'jinja', text, capabilities: jinjaCapabilities(text), isDefault: false };
}

/** A TEMPLATE that does not parse can do nothing; the error itself belongs to the request that uses it. */
function goChoice(text: string): TemplateChoice {
  try {
    return { kind: 'go', text, capabilities: new OllamaTemplate(text).capabilities, isDefault: false };
  } catch (error) {
    if (error instanceof TarsError) {
      return { kind: 'go', text, capabilities: noCapabilities, isDefault: false };
    }
    throw error;
  }
}

/** More capabilities, or the same with tools where only the Jinja text can write a past tool call. */
function isAbler(jinja: TemplateChoice, go: TemplateChoice): boolean {
  const names = ['tools', 'thinking', 'insert'] as const;
  const hasAll = names.every((name) => jinja.capabilities[name] || !go.capabilities[name]);
  const hasMore = names.some((name) => jinja.capabilities[name] && !go.capabilities[name]);
  const onlyJinjaWritesCalls = jinja.text.includes('tool_calls') && !go.text.includes('.ToolCalls');
  return hasAll && (hasMore || (jinja.capabilities.tools && onlyJinjaWritesCalls));
}
