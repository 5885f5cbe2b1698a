// Time as Ollama writes it: RFC 3339 with up to nine fractional digits, trailing zeros dropped.

/** Difference to the system clock at which the anchor is taken anew: the clock was set, or the machine slept. */
const maxDriftMs = 20;

/** Largest duration of Go, about 292 years: what "for ever" is on the wire. */
export const maxDurationMs = 2 ** 63 / 1e6;

/**
 * The system clock with the fine steps of the monotonic one. It is read for every token of every stream, so it works in
 * plain numbers (milliseconds since 1970, exact to a quarter of a microsecond) and keeps the text of the current second.
 */
export class WallClock {
  #anchorMs = 0;
  #second = -1;
  #secondText = '';

  constructor() {
    this.#anchor();
  }

  /** Milliseconds since 1970. */
  nowMs(): number {
    const nowMs = this.#anchorMs + performance.now();
    if (Math.abs(nowMs - Date.now()) > maxDriftMs) {
      this.#anchor();
      return this.#anchorMs + performance.now();
    }
    return nowMs;
  }

  /** `created_at`: UTC with `Z`. */
  timestamp(): string {
    const nowMs = this.nowMs();
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = new Date(second * 1000).toISOString().slice(0, 19);
    }
    return `${this.#secondText}${fraction(Math.floor((nowMs - second * 1000) * 1e6))}Z`;
  }

  #anchor(): void {
    this.#anchorMs = Date.now() - performance.now();
  }
}

/** `modified_at`, `expires_at`: the server's local offset, `Z` when that is UTC. */
export function localTimestamp(date: Date): string {
  const offsetMinutes = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offsetMinutes * 60_000).toISOString().replace(/^\+0*(?=\d{4})/, '');
  const text = `${local.slice(0, 19)}${fraction(date.getMilliseconds() * 1e6)}`;
  if (offsetMinutes === 0) {
    return `${text}Z`;
  }
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const size = Math.abs(offsetMinutes);
  return `${text}${offsetMinutes < 0 ? '-' : '+'}${two(size / 60)}:${two(size % 60)}`;
}

function fraction(nanoseconds: number): string {
  const digits = String(nanoseconds).padStart(9, '0').replace(/0+$/, '');
  return digits === '' ? '' : `.${digits}`;
}
