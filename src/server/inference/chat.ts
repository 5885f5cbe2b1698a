// The operation behind POST /api/chat; other dialects are to come through here too.
import type { ChatRequest, ChatResponse, Logprob, Message, ToolCall } from '../../api/index.js';
import { TarsError } from '../../errors/index.js';
import { assembleChatMessages } from '../prompt/assemble-messages.js';
import { renderFitting } from '../prompt/fit-messages.js';
import type { PromptTemplate } from '../prompt/prompt-template.js';
import { requireModel, runnableModel } from '../model-lookup.js';
import type { RequestOptions } from '../request-options.js';
import type { Services } from '../services.js';
import {
  checkBody,
  checkedOptions,
  refuseImages,
  requireCapability,
  requireCompletion,
  resolveThinking,
  isThinking,
  formatGrammar,
} from './checks.js';
import { OutputParser } from './output-parser.js';
import type { Producer, Reply } from './reply.js';
import { InferenceSession, constrainedFormat, type Generation } from './session.js';

/** Keys in wire order; undefined ones are left out. */
function response(services: Services, model: string, rest: Omit<ChatResponse, 'model' | 'created_at'>): ChatResponse {
  const { message, done, done_reason, _debug_info, logprobs, ...metrics } = rest;
  return { model, created_at: services.clock.timestamp(), message, done, done_reason, _debug_info, logprobs, ...metrics };
}

function emptyReply(services: Services, model: string, reason: 'load' | 'unload'): Reply<ChatResponse> {
  const message: Message = { role: 'assistant', content: '' };
  return { kind: 'single', body: response(services, model, { message, done: true, done_reason: reason }) };
}

/** Throws TarsError for whatever is wrong before the first piece of the answer; later errors come out of `produce`. */
export async function chat(services: Services, request: Partial<ChatRequest>, signal: AbortSignal): Promise<Reply<ChatResponse>> {
  const keepAliveMs = checkBody(request);
  const { model: name = '', messages = [], tools = [] } = request;
  if (name === '') {
    throw new TarsError('MODEL_REQUIRED');
  }
  const model = await requireModel(services, name);
  if (messages.length === 0 && keepAliveMs === 0) {
    services.pool.unload(runnableModel(model));
    return emptyReply(services, name, 'unload');
  }
  const { capabilities, template: choice } = await services.profiles.profile(model);
  const think = resolveThinking(request.think, capabilities, name);
  requireCompletion(capabilities, name, 'chat');
  if (tools.length > 0) {
    requireCapability(capabilities, model, 'tools');
  }
  const options = checkedOptions(model.parameters, request.options ?? {});
  const grammar = messages.length === 0 ? undefined : formatGrammar(request.format);
  if (messages.length > 0) {
    refuseImages(
      messages.reduce((sum, { images = [] }) => sum + images.length, 0),
      choice.kind === 'jinja',
    );
  }
  const session = await InferenceSession.open(services, {
    model,
    options: unlimitedWhenZero(options, choice.kind),
    keepAliveMs,
    signal,
  });
  if (messages.length === 0) {
    session.close('stop');
    return emptyReply(services, name, 'load');
  }
  try {
    const template = await services.profiles.promptTemplate(model);
    const render = (fitting: readonly Message[]): string => template.render({ messages: fitting, tools, think });
    const all = assembleChatMessages(model, messages);
    const prompt =
      request.truncate === false
        ? render(all)
        : await renderFitting({
            messages: all,
            contextLength: session.lease.contextLength,
            render,
            countTokens: (text) => session.countTokens(text),
          });
    if (request._debug_render_only === true) {
      session.close('stop');
      const body = response(services, name, {
        message: { role: '', content: '' },
        done: false,
        _debug_info: { rendered_template: prompt },
      });
      return { kind: 'single', body };
    }
    const thinkingTags = isThinking(think) ? template.thinkingTags : undefined;
    const parser = new OutputParser({
      prompt,
      ...(thinkingTags !== undefined && { thinkingTags }),
      ...(tools.length > 0 && { tools: { format: template.toolCallFormat, names: tools.map((tool) => tool.function.name) } }),
    });
    // With the template of the weights, a prompt that is still too long is refused rather than cut.
    const canCut = choice.kind !== 'jinja' && request.truncate !== false;
    const format = constrainedFormat(grammar, thinkingTags);
    const produce = streamChat(services, { ...request, truncate: canCut }, session, { prompt, parser, format });
    return { kind: 'stream', produce, join: joinChat };
  } catch (error) {
    session.close('error');
    throw error;
  }
}

/** Only the template in the weights can ask for no token at all; elsewhere Ollama leaves a zero out of its own request. */
function unlimitedWhenZero(options: RequestOptions, kind: PromptTemplate['kind']): RequestOptions {
  return kind === 'go' && options.numPredict === 0 ? { ...options, numPredict: -1 } : options;
}

function streamChat(
  services: Services,
  request: Partial<ChatRequest>,
  session: InferenceSession,
  { prompt, parser, format }: Generation,
): Producer<ChatResponse> {
  const { model = '', truncate = true, shift = true, logprobs = false, top_logprobs: topLogprobs = 0 } = request;
  return (emit) =>
    session.run(prompt, { truncate, shift, logprobs, topLogprobs, format }, parser, (event) => {
      if (event.kind === 'piece') {
        const { content, thinking, toolCalls } = event.piece;
        const message = chatMessage(content, thinking, toolCalls);
        // Written out, not by `response`: this happens for every token.
        emit({ model, created_at: services.clock.timestamp(), message, done: false, logprobs: event.logprobs });
        return;
      }
      const message = chatMessage('', '', []);
      emit(response(services, model, { message, done: true, done_reason: event.reason, ...event.metrics }));
    });
}

function chatMessage(content: string, thinking: string, toolCalls: readonly ToolCall[]): Message {
  return {
    role: 'assistant',
    content,
    ...(thinking !== '' && { thinking }),
    ...(toolCalls.length > 0 && { tool_calls: [...toolCalls] }),
  };
}

function joinChat(chunks: readonly ChatResponse[]): ChatResponse {
  const last = chunks.at(-1);
  if (last === undefined) {
    throw new TarsError('INTERNAL', { reason: 'the answer had no end' });
  }
  const content = chunks.map(({ message }) => message.content).join('');
  const thinking = chunks.map(({ message }) => message.thinking ?? '').join('');
  const toolCalls = chunks.flatMap(({ message }) => message.tool_calls ?? []);
  const logprobs: Logprob[] = chunks.flatMap((chunk) => chunk.logprobs ?? []);
  return {
    ...last,
    message: chatMessage(content, thinking, toolCalls),
    logprobs: logprobs.length > 0 ? logprobs : undefined,
  };
}
