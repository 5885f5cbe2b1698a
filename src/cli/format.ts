// Sizes, times and tables as Ollama prints them.

const byteUnits = [
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['KB', 1e3],
] as const;

/** `999 B`, `1.5 KB`, `12 GB`: decimal units, one decimal below ten. */
export function humanBytes(numBytes: number): string {
  const unit = byteUnits.find(([, size]) => numBytes >= size);
  if (unit === undefined) {
    return `${numBytes} B`;
  }
  const value = numBytes / unit[1];
  const text = value >= 10 || Number.isInteger(value) ? String(Math.trunc(value)) : value.toFixed(1);
  return `${text} ${unit[0]}`;
}

function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  const minutes = Math.trunc(seconds / 60);
  const hours = Math.round(milliseconds / 3_600_000);
  if (seconds < 1) {
    return 'Less than a second';
  }
  if (seconds < 60) {
    return seconds === 1 ? '1 second' : `${seconds} seconds`;
  }
  if (minutes < 60) {
    return minutes === 1 ? 'About a minute' : `${minutes} minutes`;
  }
  if (hours < 48) {
    return hours === 1 ? 'About an hour' : `${hours} hours`;
  }
  const days = Math.trunc(hours / 24);
  if (days < 14) {
    return `${days} days`;
  }
  if (days < 60) {
    return `${Math.trunc(days / 7)} weeks`;
  }
  return days < 730 ? `${Math.trunc(days / 30)} months` : `${Math.trunc(days / 365)} years`;
}

/** The server answers with a year near 2318 for "for ever". */
const foreverMs = 21 * 365 * 24 * 3_600_000;

/** `3 minutes ago`, `4 minutes from now`, `Forever`; `Never` for Go's zero time and for text that is no time. */
export function humanTime(timestamp: string, nowMs: number): string {
  const timeMs = Date.parse(timestamp);
  if (Number.isNaN(timeMs) || timestamp.startsWith('0001-')) {
    return 'Never';
  }
  const age = nowMs - timeMs;
  if (age <= -foreverMs) {
    return 'Forever';
  }
  return age < 0 ? `${humanDuration(-age)} from now` : `${humanDuration(age)} ago`;
}

const columnGap = '    ';

function columnWidths(rows: readonly (readonly string[])[]): readonly number[] {
  const numColumns = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: numColumns }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
}

/** Left-aligned columns without borders; every row ends in the gap, the header in one space, as in Ollama. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columnWidths([header, ...rows]);
  const headerLine = `${widths.map((width, column) => (header[column] ?? '').padEnd(width)).join(columnGap)} `;
  return [headerLine, ...formatRows(rows, widths)].map((line) => `${line}\n`).join('');
}

/** A block of `show`: two spaces and a title, rows indented by four, an empty line. */
export function formatBlock(title: string, rows: readonly (readonly string[])[]): string {
  const lines = formatRows(rows, columnWidths(rows)).map((line) => `${columnGap}${line}\n`);
  return `  ${title}\n${lines.join('')}\n`;
}

function formatRows(rows: readonly (readonly string[])[], widths: readonly number[]): readonly string[] {
  return rows.map((row) => widths.map((width, column) => (row[column] ?? '').padEnd(width) + columnGap).join(''));
}
