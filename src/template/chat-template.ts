import { Environment, parse, tokenize, type Program } from '@huggingface/jinja';
import { errorMessage, TarsError } from '../errors/index.js';
import type { Message, Tool } from '../api/index.js';
import { JinjaInterpreter } from './jinja-interpreter.js';
import { strftime } from './strftime.js';

export interface SpecialTokens {
  /** Text of the token; the variable stays undefined in the template when the model has none. */
  readonly bosToken?: string;
  readonly eosToken?: string;
}

export interface RenderRequest {
  readonly messages: readonly Message[];
  readonly tools?: readonly Tool[];
  /** End with the beginning of an assistant turn. */
  readonly addGenerationPrompt: boolean;
  /** `enable_thinking` of the template; undefined leaves the template's own default. */
  readonly enableThinking?: boolean;
  /** `reasoning_effort` of the template. */
  readonly reasoningEffort?: string;
  /** More variables of the template. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface ChatTemplate {
  /** Throws TarsError TEMPLATE_REFUSED when the template itself refuses the messages, TEMPLATE_FAILED when it fails. */
  render(request: RenderRequest): string;
}

/** Largest range() a template may ask for, the same as in Jinja's sandbox: a longer loop is an attack, not a chat. */
const maxRange = 100_000;

/** Thrown by `raise_exception` inside a template. */
class Refusal extends Error {}

/** Compiles a Jinja chat template of Hugging Face. Throws TarsError TEMPLATE_FAILED with the parser's message. */
export function compileChatTemplate(source: string, tokens: SpecialTokens, now: () => Date = () => new Date()): ChatTemplate {
  let program: Program;
  try {
    // As transformers sets up its environment.
    program = parse(tokenize(source, { trim_blocks: true, lstrip_blocks: true }));
  } catch (error) {
    throw new TarsError('TEMPLATE_FAILED', { reason: `chat template: ${errorMessage(error)}` }, { cause: error });
  }
  return {
    render: (request) => {
      const environment = new Environment();
      const variables = { ...globals(now), ...variablesOf(request, tokens) };
      try {
        for (const [name, value] of Object.entries(variables)) {
          environment.set(name, value);
        }
        return new JinjaInterpreter(environment).run(program).value;
      } catch (error) {
        const code = error instanceof Refusal ? 'TEMPLATE_REFUSED' : 'TEMPLATE_FAILED';
        throw new TarsError(code, { reason: `chat template: ${errorMessage(error)}` }, { cause: error });
      }
    },
  };
}

function globals(now: () => Date): Record<string, unknown> {
  return {
    true: true,
    false: false,
    none: null,
    True: true,
    False: false,
    None: null,
    range,
    raise_exception: (message: unknown): never => {
      throw new Refusal(String(message));
    },
    strftime_now: (format: string) => strftime(now(), format),
  };
}

function variablesOf(request: RenderRequest, tokens: SpecialTokens): Record<string, unknown> {
  const hasTools = request.tools !== undefined && request.tools.length > 0;
  const optional = {
    bos_token: tokens.bosToken,
    eos_token: tokens.eosToken,
    enable_thinking: request.enableThinking,
    reasoning_effort: request.reasoningEffort,
  };
  return {
    // transformers always defines these two, as None when there are none.
    tools: hasTools ? request.tools : null,
    documents: null,
    messages: request.messages.map(templateMessage),
    add_generation_prompt: request.addGenerationPrompt,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    ...request.extra,
  };
}

/** Thinking of earlier turns is left out, as Ollama does on this path. */
function templateMessage(message: Message): Record<string, unknown> {
  const result: Record<string, unknown> = { role: message.role, content: message.content };
  if (message.tool_calls !== undefined && message.tool_calls.length > 0) {
    result['tool_calls'] = message.tool_calls.map((call) => ({
      type: 'function',
      ...(call.id === undefined ? {} : { id: call.id }),
      function: { name: call.function.name, arguments: call.function.arguments },
    }));
  }
  if (message.tool_name !== undefined) {
    result['name'] = message.tool_name;
  }
  if (message.tool_call_id !== undefined) {
    result['tool_call_id'] = message.tool_call_id;
  }
  return result;
}

function range(first: number, second?: number | null, step = 1): number[] {
  const [start, stop] = second === undefined || second === null ? [0, first] : [first, second];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!Number.isInteger(length) || length > maxRange) {
    throw new Error(`range() of ${length} values: the limit is ${maxRange}`);
  }
  return Array.from({ length }, (_, i) => start + i * step);
}
