// The list of messages that a template renders: stored ones, the system message, and the request's own.
import type { Message } from '../../api/index.js';
import type { StoredModel } from '../../registry/index.js';

/** Messages of a chat: the model's own first, and its SYSTEM unless the request begins with one. */
export function assembleChatMessages(model: StoredModel, requested: readonly Message[]): readonly Message[] {
  const messages = [...model.messages, ...requested];
  const needsSystem = requested[0]?.role !== 'system' && model.system !== undefined && model.system !== '';
  const system: readonly Message[] = needsSystem ? [{ role: 'system', content: model.system ?? '' }] : [];
  return dropOldThinking(model, [...system, ...messages]);
}

export interface GenerateTurn {
  readonly prompt: string;
  readonly system: string | undefined;
  /** The request continues an earlier answer by its token ids, which replace the model's stored messages. */
  readonly hasContext: boolean;
}

/** The one turn of `/api/generate` as messages. */
export function assembleGenerateMessages(model: StoredModel, { prompt, system, hasContext }: GenerateTurn): readonly Message[] {
  const systemText = system || model.system || '';
  return [
    ...(systemText === '' ? [] : [{ role: 'system', content: systemText }]),
    ...(hasContext ? [] : model.messages),
    { role: 'user', content: prompt },
  ];
}

/** These families are trained without the thinking of earlier turns; their templates do not all remove it. */
function dropOldThinking(model: StoredModel, messages: readonly Message[]): readonly Message[] {
  if (model.config.model_family !== 'qwen3' && model.name.model !== 'deepseek-r1') {
    return messages;
  }
  const lastUser = messages.findLastIndex(({ role }) => role === 'user');
  return messages.map((message, i) =>
    message.role === 'assistant' && i < lastUser
      ? { ...message, content: message.content.replace(/^\s*<think>[\s\S]*?<\/think>\s*/, '') }
      : message,
  );
}
