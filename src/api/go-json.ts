// JSON as Go's encoding/json writes it. Reading it is in go-syntax.ts and go-decoder.ts.

const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** Compact JSON with `<`, `>`, `&` and the two line separators escaped. Keys whose value is undefined are left out. */
export function encodeGoJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? character);
}
