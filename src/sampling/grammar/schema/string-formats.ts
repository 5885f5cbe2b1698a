// What `format` means inside a JSON string, in XGrammar's EBNF. Names that are not here are annotations, as the specification has it.

const digit = '[0-9]';
const year = `${digit}{4,4}`;
const month = '("0" [1-9] | "1" [0-2])';
const day = '("0" [1-9] | [12] [0-9] | "3" [01])';
const clock = `([01] ${digit} | "2" [0-3]) ":" [0-5] ${digit} ":" [0-5] ${digit} ("." ${digit}{1,9})?`;
const offset = `("Z" | [+\\-] ([01] ${digit} | "2" [0-3]) ":" [0-5] ${digit})`;
const hex = '[0-9a-fA-F]';
const byte = `(${digit} | [1-9] ${digit} | "1" ${digit}{2,2} | "2" [0-4] ${digit} | "25" [0-5])`;
const label = `[a-zA-Z0-9] ([a-zA-Z0-9\\-]{0,61} [a-zA-Z0-9])?`;
const group = `${hex}{1,4}`;

/** Up to `most` groups of an IPv6 address with colons between them, or none. */
const groups = (most: number): string => `(${group} (":" ${group}){0,${most - 1}})?`;

export const formatExpressions: Readonly<Record<string, string>> = {
  date: `${year} "-" ${month} "-" ${day}`,
  time: `${clock} ${offset}`,
  'date-time': `${year} "-" ${month} "-" ${day} "T" ${clock} ${offset}`,
  duration: `"P" (${digit}{1,6} "W" | (${digit}{1,6} [YMD]){1,3} ("T" (${digit}{1,6} [HMS]){1,3})? | "T" (${digit}{1,6} [HMS]){1,3})`,
  email: `[a-zA-Z0-9_+\\-]{1,64} ("." [a-zA-Z0-9_+\\-]{1,64}){0,8} "@" ${label} ("." ${label}){1,8}`,
  hostname: `${label} ("." ${label}){0,16}`,
  ipv4: `${byte} ("." ${byte}){3,3}`,
  ipv6: `(${group} (":" ${group}){7,7} | ${groups(3)} "::" ${groups(3)})`,
  uuid: `${hex}{8,8} ("-" ${hex}{4,4}){3,3} "-" ${hex}{12,12}`,
  uri: `[a-zA-Z] [a-zA-Z0-9+.\\-]{0,15} ":" [a-zA-Z0-9\\-._~:/?#@!$&'()*+,;=%\\u005b\\u005d]{1,2000}`,
};
