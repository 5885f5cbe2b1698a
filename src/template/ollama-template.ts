import type { Message, Tool } from '../api/index.js';
import { goCapabilities, type TemplateCapabilities } from './capabilities.js';
import { GoList, GoMap, GoTemplate, namesOf, type GoValue, type Node } from './go/index.js';
import { inferThinkingTags, inferToolCallTag } from './inference.js';
import { messageValue, toolsValue } from './template-data.js';
import type { ThinkingTags } from './thinking-parser.js';
import type { ToolCallFormat } from './tool-call-parser.js';

/** Template of a model that has none: the prompt as it is. */
export const defaultOllamaTemplate = '{{ .Prompt }}';

export interface OllamaRenderRequest {
  readonly messages: readonly Message[];
  readonly tools?: readonly Tool[];
  /** The request's `think`; undefined when it has none. */
  readonly think?: boolean | string;
}

/** A TEMPLATE of a Modelfile: a Go template and the three ways in which Ollama runs it. */
export class OllamaTemplate {
  readonly source: string;
  readonly capabilities: TemplateCapabilities;
  /** Tags around the model's thinking, if the template has them. */
  readonly thinkingTags: ThinkingTags | undefined;
  readonly toolCallFormat: ToolCallFormat;
  readonly #template: GoTemplate;
  readonly #usesMessages: boolean;

  /** Throws TarsError TEMPLATE_FAILED with the text of Go's parser. `now` is the clock of `currentDate`. */
  constructor(source: string, now?: () => Date) {
    this.source = source;
    let template = GoTemplate.parse(source, now);
    const names = template.identifiers();
    this.#usesMessages = names.has('messages');
    if (!this.#usesMessages && !names.has('response')) {
      template = GoTemplate.parse(`${source}{{ .Response }}`, now);
    }
    this.#template = template;
    this.capabilities = goCapabilities(template);
    this.thinkingTags = inferThinkingTags(template);
    this.toolCallFormat = { kind: 'generic', tag: inferToolCallTag(template) };
  }

  /** Prompt of a conversation. Throws TarsError TEMPLATE_FAILED with the text of Go's executor. */
  render(request: OllamaRenderRequest): string {
    const { system, messages } = collate(request.messages);
    const think = thinkValues(request.think);
    if (!this.#usesMessages) {
      return this.#renderTurns(messages, think);
    }
    return this.#execute({
      System: system,
      Messages: messages.map(messageValue),
      Tools: toolsValue(request.tools ?? []),
      Response: '',
      ...think,
    });
  }

  /** Fill in the middle: the prompt for a text between two others. */
  renderInsert(prompt: string, suffix: string, think?: boolean | string): string {
    return this.#execute({ Prompt: prompt, Suffix: suffix, Response: '', ...thinkValues(think) });
  }

  /**
   * Templates without `.Messages` are run once for each turn of system, prompt and response. The last run ends where its
   * response does, so that the model goes on from there.
   */
  #renderTurns(messages: readonly Message[], think: Record<string, GoValue>): string {
    const output: string[] = [];
    let turn = { System: '', Prompt: '', Response: '' };
    const endTurn = (): void => {
      output.push(this.#execute({ ...turn, ...think }));
      turn = { System: '', Prompt: '', Response: '' };
    };
    for (const message of messages) {
      switch (message.role) {
        case 'system':
          if (turn.Prompt !== '' || turn.Response !== '') {
            endTurn();
          }
          turn.System = message.content;
          break;
        case 'user':
          if (turn.Response !== '') {
            endTurn();
          }
          turn.Prompt = message.content;
          break;
        case 'assistant':
          turn.Response = message.content;
          break;
      }
    }
    const last = this.#template.withRoot(cutAfterResponse(this.#template.root).nodes);
    output.push(last.execute(toMap({ ...turn, ...think })));
    return output.join('');
  }

  #execute(variables: Record<string, GoValue | readonly GoValue[]>): string {
    return this.#template.execute(toMap(variables));
  }
}

function toMap(variables: Record<string, GoValue | readonly GoValue[]>): GoMap {
  const isList = (value: GoValue | readonly GoValue[]): value is readonly GoValue[] => Array.isArray(value);
  return new GoMap(new Map(Object.entries(variables).map(([key, value]) => [key, isList(value) ? new GoList(value) : value])));
}

function thinkValues(think: boolean | string | undefined): Record<string, GoValue> {
  const isOn = typeof think === 'string' ? think !== '' : think === true;
  const level = typeof think === 'string' ? think : isOn ? 'medium' : '';
  return { Think: isOn, ThinkLevel: level, IsThinkSet: think !== undefined };
}

/** All system texts as one, and neighbours of one role as one message (except tool results). */
function collate(messages: readonly Message[]): { system: string; messages: Message[] } {
  const merged: Message[] = [];
  for (const message of messages) {
    const previous = merged.at(-1);
    if (previous !== undefined && previous.role === message.role && message.role !== 'tool') {
      previous.content += `\n\n${message.content}`;
    } else {
      merged.push({ ...message });
    }
  }
  const system = messages.filter((message) => message.role === 'system').map((message) => message.content);
  return { system: system.join('\n\n'), messages: merged };
}

/** The nodes up to and with the first action that writes `.Response`; whatever follows it is dropped, inside blocks too. */
function cutAfterResponse(nodes: readonly Node[]): { nodes: Node[]; isCut: boolean } {
  const kept: Node[] = [];
  for (const node of nodes) {
    const { node: part, isCut } = cutNode(node);
    kept.push(part);
    if (isCut) {
      return { nodes: kept, isCut };
    }
  }
  return { nodes: kept, isCut: false };
}

function cutNode(node: Node): { node: Node; isCut: boolean } {
  if (node.kind === 'action') {
    const isResponse = node.pipeline.commands.flat().some((operand) => namesOf(operand).includes('Response'));
    return { node, isCut: isResponse };
  }
  if (!('body' in node)) {
    return { node, isCut: false };
  }
  const body = cutAfterResponse(node.body);
  if (body.isCut) {
    return { node: { ...node, body: body.nodes, otherwise: node.otherwise === undefined ? undefined : [] }, isCut: true };
  }
  const otherwise = cutAfterResponse(node.otherwise ?? []);
  return { node: { ...node, otherwise: node.otherwise === undefined ? undefined : otherwise.nodes }, isCut: otherwise.isCut };
}
