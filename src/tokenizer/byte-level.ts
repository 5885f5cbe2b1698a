// The byte-level alphabet of GPT-2: each byte has one printable character, so that any bytes can be written as vocabulary text.

/** Character of each byte: printable Latin-1 stands for itself, the other 68 bytes take the characters from U+0100 on. */
export const byteCharacters: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  String.fromCharCode(isPrintable(byte) ? byte : 0x100 + numUnprintableBelow(byte)),
);

const byteOfCharacter: ReadonlyMap<string, number> = new Map(byteCharacters.map((character, byte) => [character, byte]));

/** Bytes that a vocabulary entry stands for, or undefined when it holds a character outside the alphabet. */
export function decodeByteLevel(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const byte = byteOfCharacter.get(text.charAt(i));
    if (byte === undefined) {
      return undefined;
    }
    bytes[i] = byte;
  }
  return bytes;
}

/** The vocabulary's spelling of bytes. */
export function encodeByteLevel(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    text += byteCharacters[byte];
  }
  return text;
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

function numUnprintableBelow(byte: number): number {
  let count = 0;
  for (let other = 0; other < byte; other++) {
    count += isPrintable(other) ? 0 : 1;
  }
  return count;
}
