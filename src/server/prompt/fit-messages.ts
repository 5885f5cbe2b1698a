// Drops the oldest messages of a conversation until its prompt fits the context.
import type { Message } from '../../api/index.js';

export interface FitRequest {
  readonly messages: readonly Message[];
  readonly contextLength: number;
  readonly render: (messages: readonly Message[]) => string;
  readonly countTokens: (prompt: string) => Promise<number>;
}

/**
 * Prompt of the most messages that fit: every system message and the last message always stay, the oldest others go first.
 * What fits is found by halving (a prompt shrinks with each message that goes), because each look renders and tokenizes.
 * The result may still be too long when the last message alone is.
 */
export async function renderFitting({ messages, contextLength, render, countTokens }: FitRequest): Promise<string> {
  const whole = render(messages);
  if (await fits(whole)) {
    return whole;
  }
  const last = Math.max(0, messages.length - 1);
  let tooFew = 0; // dropping this many of the oldest messages does not suffice
  let enough = last; // dropping all but the last one is the most that can be done
  let best = render(without(messages, enough));
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    const prompt = render(without(messages, middle));
    if (await fits(prompt)) {
      enough = middle;
      best = prompt;
    } else {
      tooFew = middle;
    }
  }
  return best;

  async function fits(prompt: string): Promise<boolean> {
    // The answer needs at least one place of the context. A token covers at least one byte, and the tokenizer may add BOS and EOS: a short text needs no counting.
    return Buffer.byteLength(prompt) + 2 < contextLength || (await countTokens(prompt)) < contextLength;
  }
}

/** All but the first `numDropped` messages; system messages among those stay. */
function without(messages: readonly Message[], numDropped: number): readonly Message[] {
  return [...messages.slice(0, numDropped).filter(({ role }) => role === 'system'), ...messages.slice(numDropped)];
}
