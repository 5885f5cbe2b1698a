// What happened in one engine step, as one line of JSON on the engine's event pipe. A token's way to its client is cold code
// (the weights that stream through the caches push everything else out), so a text event is as little as `[3," the"]`.
import type { EngineStats } from '../engine/index.js';
import type { RequestEvent } from './protocol.js';

export interface StepFrame {
  readonly events: readonly RequestEvent[];
  /** Figures of the engine, a few times a second. */
  readonly stats: EngineStats | undefined;
}

type Entry = readonly [id: number, text: string] | RequestEvent | { readonly stats: EngineStats };

/** One line with its line feed. */
export function encodeStepFrame({ events, stats }: StepFrame): string {
  const entries: Entry[] = events.map(shortened);
  if (stats !== undefined) {
    entries.push({ stats });
  }
  return `${JSON.stringify(entries)}\n`;
}

export function decodeStepFrame(line: string): StepFrame {
  const events: RequestEvent[] = [];
  let stats: EngineStats | undefined;
  for (const entry of JSON.parse(line) as readonly Entry[]) {
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

/** Cuts a stream of bytes into lines. */
export class LineSplitter {
  #rest: Buffer[] = [];

  /** Complete lines of the stream so far that were not returned yet, without their line feeds. */
  push(chunk: Buffer): string[] {
    const end = chunk.lastIndexOf(0x0a);
    if (end < 0) {
      this.#rest.push(chunk);
      return [];
    }
    const complete = chunk.subarray(0, end);
    const whole = this.#rest.length === 0 ? complete : Buffer.concat([...this.#rest, complete]);
    this.#rest = end + 1 === chunk.length ? [] : [chunk.subarray(end + 1)];
    return whole.toString('utf8').split('\n');
  }
}
