// One readable line per log entry for a terminal; files and collectors get the JSON as it is.

const levelNames: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};

/** Written by pino into every entry; they are either shown elsewhere in the line or say nothing to a reader. */
const hiddenKeys = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'err']);

function formatValue(value: unknown): string {
  if (typeof value === 'string') {
    return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  }
  return JSON.stringify(value);
}

function errorText(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    return '';
  }
  const { message, stack } = value as { message?: unknown; stack?: unknown };
  return typeof stack === 'string' ? `\n${stack}` : ` ${String(message)}`;
}

/** `12:00:01.250 INFO  message key=value`; a line that is not a JSON object is passed through. */
export function formatLogLine(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const time = new Date(Number(entry['time'])).toISOString().slice(11, 23);
  const level = levelNames[Number(entry['level'])] ?? 'LOG';
  const message = typeof entry['msg'] === 'string' ? ` ${entry['msg']}` : '';
  const pairs = Object.entries(entry)
    .filter(([key]) => !hiddenKeys.has(key))
    .map(([key, value]) => ` ${key}=${formatValue(value)}`)
    .join('');
  return `${time} ${level.padEnd(5)}${message}${pairs}${errorText(entry['err'])}`;
}
