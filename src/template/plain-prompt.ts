import type { Message } from '../api/index.js';

/** Prompt of a model without any template: the texts of the conversation, a blank line between them, and nothing else. */
export function plainPrompt(messages: readonly Message[]): string {
  return messages
    .map((message) => message.content)
    .filter((content) => content !== '')
    .join('\n\n');
}
