// Time as Ollama writes it: RFC 3339 with up to nine fractional digits, trailing zeros dropped.

const nsPerMs = 1_000_000n;

/** Difference to the system clock at which the anchor is taken anew: the clock was set, or the machine slept. */
const maxDriftMs = 20n;

/** Largest duration of Go, about 292 years: what "for ever" is on the wire. */
export const maxDurationMs = 2 ** 63 / 1e6;

/** The system clock with the nanosecond steps of the monotonic one. */
export class WallClock {
  #anchorNs = 0n;
  #anchorMonotonicNs = 0n;

  constructor() {
    this.#anchor();
  }

  /** Nanoseconds since 1970. */
  nowNs(): bigint {
    const nowNs = this.#anchorNs + process.hrtime.bigint() - this.#anchorMonotonicNs;
    const driftMs = nowNs / nsPerMs - BigInt(Date.now());
    if (driftMs > maxDriftMs || driftMs < -maxDriftMs) {
      this.#anchor();
      return this.#anchorNs;
    }
    return nowNs;
  }

  /** `created_at`: UTC with `Z`. */
  timestamp(): string {
    const nowNs = this.nowNs();
    const seconds = new Date(Number(nowNs / nsPerMs)).toISOString().slice(0, 19);
    return `${seconds}${fraction(Number(nowNs % 1_000_000_000n))}Z`;
  }

  #anchor(): void {
    this.#anchorNs = BigInt(Date.now()) * nsPerMs;
    this.#anchorMonotonicNs = process.hrtime.bigint();
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
