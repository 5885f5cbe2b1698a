/** A stretch of text, or an added token that was found in it. */
export type TextSection = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'token'; readonly id: number };

interface TrieNode {
  readonly children: Map<number, TrieNode>;
  id: number;
}

/**
 * Finds added tokens (control and user-defined ones) in text, leftmost first and longest at each place. A trie, because
 * vocabularies have up to several thousand of them and each place of a text must not try them all.
 */
export class AddedTokens {
  readonly #root: TrieNode = { children: new Map(), id: -1 };

  constructor(tokens: Iterable<readonly [text: string, id: number]>) {
    for (const [text, id] of tokens) {
      this.#insert(text, id);
    }
  }

  split(text: string): TextSection[] {
    const sections: TextSection[] = [];
    let textStart = 0;
    for (let i = 0; i < text.length;) {
      const match = this.#root.children.has(text.charCodeAt(i)) ? this.#longestAt(text, i) : undefined;
      if (match === undefined) {
        i++;
        continue;
      }
      if (i > textStart) {
        sections.push({ kind: 'text', text: text.slice(textStart, i) });
      }
      sections.push({ kind: 'token', id: match.id });
      i = match.end;
      textStart = i;
    }
    if (textStart < text.length) {
      sections.push({ kind: 'text', text: text.slice(textStart) });
    }
    return sections;
  }

  #insert(text: string, id: number): void {
    if (text === '') {
      return;
    }
    let node = this.#root;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      let child = node.children.get(unit);
      if (child === undefined) {
        child = { children: new Map(), id: -1 };
        node.children.set(unit, child);
      }
      node = child;
    }
    node.id = id;
  }

  #longestAt(text: string, start: number): { id: number; end: number } | undefined {
    let longest: { id: number; end: number } | undefined;
    let node: TrieNode | undefined = this.#root;
    for (let i = start; i < text.length; i++) {
      node = node.children.get(text.charCodeAt(i));
      if (node === undefined) {
        break;
      }
      if (node.id !== -1) {
        longest = { id: node.id, end: i + 1 };
      }
    }
    return longest;
  }
}
