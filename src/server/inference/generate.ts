// The operation behind POST /api/generate; other dialects are to come through here too.
import type { GenerateRequest, GenerateResponse, Logprob, ThinkValue } from '../../api/index.js';
import { TarsError } from '../../errors/index.js';
import type { StoredModel } from '../../registry/index.js';
import { createOverrideTemplate } from '../prompt/choose-template.js';
import { assembleGenerateMessages } from '../prompt/assemble-messages.js';
import { renderFitting } from '../prompt/fit-messages.js';
import type { PromptTemplate } from '../prompt/prompt-template.js';
import { requireModel, runnableModel } from '../model-lookup.js';
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
function response(services: Services, model: string, rest: Omit<GenerateResponse, 'model' | 'created_at'>): GenerateResponse {
  const {
    response: text,
    thinking,
    done,
    done_reason,
    context,
    tool_calls,
    _debug_info,
    logprobs,
    prompt_logprobs,
    ...metrics
  } = rest;
  return {
    model,
    created_at: services.clock.timestamp(),
    response: text,
    thinking,
    done,
    done_reason,
    context,
    ...metrics,
    tool_calls,
    _debug_info,
    logprobs,
    prompt_logprobs,
  };
}

function emptyReply(services: Services, model: string, reason: 'load' | 'unload'): Reply<GenerateResponse> {
  return { kind: 'single', body: response(services, model, { response: '', done: true, done_reason: reason }) };
}

/** Throws TarsError for whatever is wrong before the first piece of the answer; later errors come out of `produce`. */
export async function generate(
  services: Services,
  request: Partial<GenerateRequest>,
  signal: AbortSignal,
): Promise<Reply<GenerateResponse>> {
  const keepAliveMs = checkBody(request);
  const { model: name = '', prompt: userPrompt = '' } = request;
  if (name === '') {
    throw new TarsError('MODEL_NOT_FOUND', { model: '' });
  }
  const model = await requireModel(services, name);
  if (userPrompt === '' && keepAliveMs === 0) {
    services.pool.unload(runnableModel(model));
    return emptyReply(services, name, 'unload');
  }
  const think = await checkModel(services, request, model);
  const options = checkedOptions(model.parameters, request.options ?? {});
  const grammar = userPrompt === '' ? undefined : formatGrammar(request.format);
  if (userPrompt !== '') {
    refuseImages(request.images?.length ?? 0);
  }
  const session = await InferenceSession.open(services, {
    model,
    // Ollama leaves a zero out of the request to its engine, so that it means no limit.
    options: options.numPredict === 0 ? { ...options, numPredict: -1 } : options,
    keepAliveMs,
    signal,
  });
  if (userPrompt === '') {
    session.close('stop');
    return emptyReply(services, name, 'load');
  }
  try {
    const template = request.raw === true ? undefined : await chooseRequestTemplate(services, request, model);
    const prompt = template === undefined ? userPrompt : await renderPrompt(request, { model, template, think, session });
    if (request._debug_render_only === true) {
      session.close('stop');
      const debug = { rendered_template: prompt };
      return { kind: 'single', body: response(services, name, { response: '', done: false, _debug_info: debug }) };
    }
    const thinkingTags = template !== undefined && isThinking(think) ? template.thinkingTags : undefined;
    const parser = new OutputParser({ prompt, ...(thinkingTags !== undefined && { thinkingTags }) });
    const format = constrainedFormat(grammar, thinkingTags);
    const produce = streamGenerate(services, request, session, { prompt, parser, format });
    return { kind: 'stream', produce, join: joinGenerate };
  } catch (error) {
    session.close('error');
    throw error;
  }
}

/** What the model must be able to do. Returns the thinking to use. */
async function checkModel(
  services: Services,
  request: Partial<GenerateRequest>,
  model: StoredModel,
): Promise<ThinkValue | undefined> {
  const { model: name = '' } = request;
  const { capabilities } = await services.profiles.profile(model);
  if (capabilities.includes('image')) {
    throw new TarsError('BAD_REQUEST', { reason: 'image generation models are not currently supported' });
  }
  if (request.raw === true && (request.template || request.system || (request.context?.length ?? 0) > 0)) {
    throw new TarsError('BAD_REQUEST', { reason: 'raw mode does not support template, system, or context' });
  }
  const think = resolveThinking(request.think, capabilities, name);
  requireCompletion(capabilities, name, 'generate');
  if (request.suffix) {
    requireCapability(capabilities, model, 'insert');
  }
  return think;
}

function chooseRequestTemplate(
  services: Services,
  { template }: Partial<GenerateRequest>,
  model: StoredModel,
): PromptTemplate | Promise<PromptTemplate> {
  return template ? createOverrideTemplate(template) : services.profiles.promptTemplate(model);
}

interface PromptParts {
  readonly model: StoredModel;
  readonly template: PromptTemplate;
  readonly think: ThinkValue | undefined;
  readonly session: InferenceSession;
}

async function renderPrompt(
  request: Partial<GenerateRequest>,
  { model, template, think, session }: PromptParts,
): Promise<string> {
  const { prompt = '', system, context = [] } = request;
  const before = context.length > 0 ? await session.lease.detokenize(context) : '';
  if (request.suffix) {
    return before + template.renderInsert(prompt, request.suffix);
  }
  const messages = assembleGenerateMessages(model, { prompt, system, hasContext: context.length > 0 });
  if (request.template || request.truncate === false) {
    return before + template.render({ messages, tools: [], think });
  }
  return renderFitting({
    messages,
    contextLength: session.lease.contextLength,
    render: (fitting) => before + template.render({ messages: fitting, tools: [], think }),
    countTokens: (text) => session.countTokens(text),
  });
}

function streamGenerate(
  services: Services,
  request: Partial<GenerateRequest>,
  session: InferenceSession,
  { prompt, parser, format }: Generation,
): Producer<GenerateResponse> {
  const { model = '', truncate = true, shift = true, logprobs = false, top_logprobs: topLogprobs = 0 } = request;
  const choices = { truncate, shift, logprobs, topLogprobs, promptLogprobs: request.prompt_logprobs, format };
  return (emit) =>
    session.run(prompt, choices, parser, (event) => {
      if (event.kind === 'piece') {
        const { content, thinking } = event.piece;
        // Written out, not by `response`: this happens for every token.
        emit({
          model,
          created_at: services.clock.timestamp(),
          response: content,
          thinking: thinking || undefined,
          done: false,
          logprobs: event.logprobs,
        });
        return;
      }
      const context = request.raw === true ? undefined : event.contextIds;
      const end = { response: '', done: true, done_reason: event.reason, context, prompt_logprobs: event.promptLogprobs };
      emit(response(services, model, { ...end, ...event.metrics }));
    });
}

function joinGenerate(chunks: readonly GenerateResponse[]): GenerateResponse {
  const last = chunks.at(-1);
  if (last === undefined) {
    throw new TarsError('INTERNAL', { reason: 'the answer had no end' });
  }
  const logprobs: Logprob[] = chunks.flatMap((chunk) => chunk.logprobs ?? []);
  return {
    ...last,
    response: chunks.map((chunk) => chunk.response).join(''),
    thinking: chunks.map((chunk) => chunk.thinking ?? '').join('') || undefined,
    logprobs: logprobs.length > 0 ? logprobs : undefined,
  };
}
