// Durations as Go writes them ("1h30m", "300ms"), because every Ollama client and environment variable uses that form.
import { TarsError } from '../errors/index.js';

const nanosecondsPerUnit: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Largest int64; a longer duration is an error in Go, about 292 years. */
const maxNanoseconds = 2 ** 63;

function invalid(text: string, reason = 'invalid duration'): TarsError {
  return new TarsError('BAD_REQUEST', { reason: `time: ${reason} ${JSON.stringify(text)}` });
}

/**
 * Milliseconds (fractions of a millisecond included) of a Go duration. Throws BAD_REQUEST with Go's own words, for example
 * `time: missing unit in duration "5"`.
 */
export function parseGoDuration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[-+]/, '');
  if (body === '0') {
    return 0;
  }
  if (body === '') {
    throw invalid(text);
  }
  let nanoseconds = 0;
  const term = /(\d*)(\.\d*)?([^\d.]*)/y;
  while (term.lastIndex < body.length) {
    const [, whole = '', fraction = '', unit = ''] = term.exec(body) ?? [];
    if (whole === '' && fraction.length < 2) {
      throw invalid(text);
    }
    if (unit === '') {
      throw invalid(text, 'missing unit in duration');
    }
    const scale = Object.hasOwn(nanosecondsPerUnit, unit) ? nanosecondsPerUnit[unit] : undefined;
    if (scale === undefined) {
      throw invalid(text, `unknown unit ${JSON.stringify(unit)} in duration`);
    }
    nanoseconds += Number(`${whole || '0'}${fraction === '.' ? '' : fraction}`) * scale;
    if (nanoseconds >= maxNanoseconds) {
      throw invalid(text);
    }
  }
  return (sign * nanoseconds) / 1e6;
}

/** Decimal digits of `nanoseconds / unit`, at most nine, without trailing zeros. */
function decimal(nanoseconds: number, unit: number, numDigits: number): string {
  const whole = Math.floor(nanoseconds / unit);
  const fraction = String(nanoseconds % unit)
    .padStart(numDigits, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(whole) : `${whole}.${fraction}`;
}

/** Text of a duration as Go prints it: `1h30m0s`, `4.0025s`, `1.5ms`, `0s`. */
export function formatGoDuration(milliseconds: number): string {
  const nanoseconds = Math.round(Math.abs(milliseconds) * 1e6);
  const sign = milliseconds < 0 ? '-' : '';
  if (nanoseconds === 0) {
    return '0s';
  }
  if (nanoseconds < 1e3) {
    return `${sign}${nanoseconds}ns`;
  }
  if (nanoseconds < 1e6) {
    return `${sign}${decimal(nanoseconds, 1e3, 3)}µs`;
  }
  if (nanoseconds < 1e9) {
    return `${sign}${decimal(nanoseconds, 1e6, 6)}ms`;
  }
  const hours = Math.floor(nanoseconds / 3600e9);
  const minutes = Math.floor((nanoseconds % 3600e9) / 60e9);
  const seconds = decimal(nanoseconds % 60e9, 1e9, 9);
  const hourPart = hours > 0 ? `${hours}h` : '';
  const minutePart = hours > 0 || minutes > 0 ? `${minutes}m` : '';
  return `${sign}${hourPart}${minutePart}${seconds}s`;
}
