// Checks base64 as Go's StdEncoding does, to report the byte at which it breaks.

const alphabet = /[A-Za-z0-9+/]/;

/**
 * Offset of the first byte that padded standard base64 does not allow there, or undefined when the text is well formed.
 * Line breaks are skipped, as Go does.
 */
export function base64ErrorOffset(text: string): number | undefined {
  // One class repeated: a pattern of groups would keep a backtracking state for each of millions of quanta.
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    return undefined;
  }
  let numInQuantum = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '\n' || character === '\r') {
      continue;
    }
    if (alphabet.test(character)) {
      numInQuantum = (numInQuantum + 1) % 4;
      continue;
    }
    return character === '=' && numInQuantum >= 2 ? paddingErrorOffset(text, at, numInQuantum) : at;
  }
  // Go points at the start of the incomplete quantum.
  return numInQuantum === 0 ? undefined : text.length - numInQuantum;
}

/** Checks from the first `=`: as many as the quantum lacks, then nothing. */
function paddingErrorOffset(text: string, first: number, numInQuantum: number): number | undefined {
  let numMissing = 4 - numInQuantum;
  for (let at = first; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '\n' || character === '\r') {
      continue;
    }
    if (character !== '=' || numMissing === 0) {
      return at;
    }
    numMissing--;
  }
  return numMissing === 0 ? undefined : text.length;
}
