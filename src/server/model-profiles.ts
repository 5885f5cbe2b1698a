// What the server knows of a stored model beyond its manifest: facts of the weights, chat template, capabilities.
import type { GoTemplateChoice } from '../config/index.js';
import type { ModelInfoValue } from '../formats/index.js';
import type { StoredModel } from '../registry/index.js';
import { ModelFactsReader, type ModelFacts } from './model-facts.js';
import { chooseTemplate, createPromptTemplate, type TemplateChoice } from './prompt/choose-template.js';
import type { PromptTemplate } from './prompt/prompt-template.js';
import { RecentMap } from './recent-map.js';

export type Capability = 'completion' | 'tools' | 'insert' | 'vision' | 'embedding' | 'thinking' | 'image' | 'audio';

export interface ModelProfile {
  readonly facts: ModelFacts;
  readonly template: TemplateChoice;
  /** In the order in which `/api/show` lists them. */
  readonly capabilities: readonly string[];
}

/** Compiled templates are some hundreds of kB; more models than this are hardly used in turns. */
const maxEntries = 64;

/** Everything is kept by digest of the manifest, which names the weights and every layer. */
export class ModelProfiles {
  readonly #goTemplate: GoTemplateChoice;
  readonly #facts = new ModelFactsReader();
  readonly #profiles = new RecentMap<ModelProfile>(maxEntries);
  readonly #templates = new RecentMap<PromptTemplate>(maxEntries);

  constructor(goTemplate: GoTemplateChoice) {
    this.#goTemplate = goTemplate;
  }

  /** Throws what reading the weights file throws. */
  async profile(model: StoredModel): Promise<ModelProfile> {
    const known = this.#profiles.get(model.digest);
    if (known !== undefined) {
      return known;
    }
    const facts = await this.#facts.facts(model);
    const template = chooseTemplate(model.template, facts.chatTemplate, this.#goTemplate);
    const profile = { facts, template, capabilities: capabilitiesOf(model, facts, template) };
    this.#profiles.set(model.digest, profile);
    return profile;
  }

  /** The compiled template of a model. Throws TEMPLATE_FAILED when it does not compile. */
  async promptTemplate(model: StoredModel): Promise<PromptTemplate> {
    const known = this.#templates.get(model.digest);
    if (known !== undefined) {
      return known;
    }
    const { template } = await this.profile(model);
    const compiled = createPromptTemplate(template, await this.#facts.specialTokens(model));
    this.#templates.set(model.digest, compiled);
    return compiled;
  }

  verboseModelInfo(model: StoredModel): Promise<Record<string, ModelInfoValue>> {
    return this.#facts.verboseModelInfo(model);
  }
}

function capabilitiesOf({ config }: StoredModel, facts: ModelFacts, { kind, capabilities }: TemplateChoice): readonly string[] {
  const ofTemplate: readonly (Capability | false)[] = [
    capabilities.tools && 'tools',
    capabilities.insert && 'insert',
    capabilities.thinking && 'thinking',
  ];
  const ofWeights: readonly (Capability | false)[] = [
    facts.isEmbeddingModel ? 'embedding' : 'completion',
    facts.hasVision && 'vision',
    facts.hasAudio && 'audio',
  ];
  const all = [
    ...(config.capabilities ?? []),
    ...(kind === 'jinja' ? [...ofTemplate, ...ofWeights] : [...ofWeights, ...ofTemplate]),
  ];
  return [...new Set(all.filter((name) => name !== false))];
}
