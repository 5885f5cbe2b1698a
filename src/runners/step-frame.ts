// What happened in one engine step, as one message on the engine's channel. A token's way to its client is cold code (the
// weights that stream through the caches push everything else out), so a text event is as little as `[3," the"]`.
import type { EngineStats } from '../engine/index.js';
import type { RequestEvent } from './protocol.js';

export interface StepFrame {
  readonly events: readonly RequestEvent[];
  /** Figures of the engine, a few times a second. */
  readonly stats: EngineStats | undefined;
}

export type StepMessage = readonly Entry[];

type Entry = readonly [id: number, text: string] | RequestEvent | { readonly stats: EngineStats };

export function encodeStepFrame({ events, stats }: StepFrame): StepMessage {
  const entries: Entry[] = events.map(shortened);
  if (stats !== undefined) {
    entries.push({ stats });
  }
  return entries;
}

export function decodeStepFrame(message: StepMessage): StepFrame {
  const events: RequestEvent[] = [];
  let stats: EngineStats | undefined;
  for (const entry of message) {
    if (isText(entry)) {
      events.push({ id: entry[0], event: { kind: 'text', text: entry[1] } });
    } else if ('stats' in entry) {
      stats = entry.stats;
    } else {
      events.push(entry);
    }
  }
  return { events, stats };
}

function shortened(event: RequestEvent): Entry {
  return 'event' in event && event.event.kind === 'text' && event.event.logprobs === undefined
    ? [event.id, event.event.text]
    : event;
}

function isText(entry: Entry): entry is readonly [number, string] {
  return Array.isArray(entry);
}

export function isStepMessage(message: unknown): message is StepMessage {
  return Array.isArray(message);
}
