const months = 'January February March April May June July August September October November December'.split(' ');
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** Python's `strftime` in the C locale, for the codes that chat templates use; an unknown code stays as it is. */
export function strftime(date: Date, format: string): string {
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
  const hour12 = date.getHours() % 12 || 12;
  const month = months[date.getMonth()] ?? '';
  const day = days[date.getDay()] ?? '';
  const startOfYear = Date.UTC(date.getFullYear(), 0, 1);
  const dayOfYear = (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - startOfYear) / 86_400_000 + 1;
  const codes: Readonly<Record<string, () => string>> = {
    Y: () => String(date.getFullYear()),
    y: () => pad(date.getFullYear() % 100),
    m: () => pad(date.getMonth() + 1),
    d: () => pad(date.getDate()),
    e: () => String(date.getDate()).padStart(2),
    b: () => month.slice(0, 3),
    B: () => month,
    a: () => day.slice(0, 3),
    A: () => day,
    w: () => String(date.getDay()),
    H: () => pad(date.getHours()),
    I: () => pad(hour12),
    M: () => pad(date.getMinutes()),
    S: () => pad(date.getSeconds()),
    p: () => (date.getHours() < 12 ? 'AM' : 'PM'),
    j: () => pad(dayOfYear, 3),
    F: () => strftime(date, '%Y-%m-%d'),
    T: () => strftime(date, '%H:%M:%S'),
    D: () => strftime(date, '%m/%d/%y'),
    '%': () => '%',
  };
  // `%-d` is the unpadded form of glibc.
  return format.replace(/%(-?)([A-Za-z%])/g, (whole, minus: string, code: string) => {
    const value = codes[code]?.();
    return value === undefined ? whole : minus === '' ? value : value.replace(/^[0 ]+(?=.)/, '');
  });
}
