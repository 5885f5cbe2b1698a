import { Merger } from './merger.js';
import type { TokenizerModel } from './model.js';
import { PairTable } from './pair-table.js';
import type { TextEncoder } from './text-encoder.js';
import { WordCache } from './word-cache.js';

export const spaceMark = '▁'; // ▁

/**
 * SentencePiece-style encoding (GGUF "llama"): neighbouring symbols whose joined text is in the vocabulary are joined, the
 * best score first. Characters outside the vocabulary fall back to their bytes.
 */
export class SentencePieceEncoder implements TextEncoder {
  readonly #addSpacePrefix: boolean;
  readonly #vocabulary: ReadonlyMap<string, number>;
  readonly #byteIds: ReadonlyMap<number, number>;
  readonly #unknownId: number | undefined;
  /** Symbols that are no vocabulary entry but part of one: ids from the vocabulary's size on. */
  readonly #partIds: ReadonlyMap<string, number>;
  readonly #partTexts: readonly string[];
  readonly #vocabSize: number;
  readonly #merger: Merger;
  readonly #cache = new WordCache();
  readonly #wordPattern: RegExp;
  readonly #encodeWord = (word: string): readonly number[] => this.#encodeNewWord(word);

  /** `vocabulary` holds the entries that plain text may produce; `byteIds` the ids of the byte tokens. */
  constructor(model: TokenizerModel, vocabulary: ReadonlyMap<string, number>, byteIds: ReadonlyMap<number, number>) {
    this.#addSpacePrefix = model.addSpacePrefix;
    this.#vocabulary = vocabulary;
    this.#byteIds = byteIds;
    this.#unknownId = model.unknownId;
    this.#vocabSize = model.tokens.length;
    const { rules, parts } = deriveRules(model, vocabulary);
    this.#partIds = parts;
    this.#partTexts = [...parts.keys()];
    this.#merger = new Merger(rules);
    this.#wordPattern = hasInnerSpace(vocabulary) ? /^[^]*$/gu : /▁*[^▁]+|▁+/gu;
  }

  encode(text: string, isAfterToken: boolean, ids: number[]): void {
    const spaced = this.#addSpacePrefix && isAfterToken ? ` ${text}` : text;
    for (const word of spaced.replaceAll(' ', spaceMark).match(this.#wordPattern) ?? []) {
      for (const id of this.#cache.get(word, this.#encodeWord)) {
        ids.push(id);
      }
    }
  }

  #encodeNewWord(word: string): readonly number[] {
    const characters = Array.from(word);
    const symbols = characters.map((character, i) => this.#vocabulary.get(character) ?? this.#partIds.get(character) ?? -1 - i);
    const ids: number[] = [];
    for (const symbol of this.#merger.merge(symbols)) {
      if (symbol >= 0 && symbol < this.#vocabSize) {
        ids.push(symbol);
      } else {
        const text = symbol < 0 ? characters[-1 - symbol] : this.#partTexts[symbol - this.#vocabSize];
        this.#pushBytes(text ?? '', ids);
      }
    }
    return ids;
  }

  #pushBytes(text: string, ids: number[]): void {
    const byteIds = Array.from(Buffer.from(text, 'utf8'), (byte) => this.#byteIds.get(byte));
    for (const id of byteIds.includes(undefined) ? [this.#unknownId] : byteIds) {
      if (id !== undefined) {
        ids.push(id);
      }
    }
  }
}

/**
 * The pairs that score-driven joining can meet, as merge rules: both sides are vocabulary entries or single characters.
 * Equal to looking up every joined text while encoding, which would hash a new string for each pair.
 */
function deriveRules(
  model: TokenizerModel,
  vocabulary: ReadonlyMap<string, number>,
): { rules: PairTable; parts: ReadonlyMap<string, number> } {
  const parts = new Map<string, number>();
  const symbolId = (text: string, isCharacter: boolean): number | undefined => {
    const id = vocabulary.get(text) ?? parts.get(text);
    if (id === undefined && isCharacter) {
      parts.set(text, model.tokens.length + parts.size);
      return parts.get(text);
    }
    return id;
  };
  const pairs: number[] = [];
  for (const [text, id] of vocabulary) {
    const first = characterLength(text, 0);
    for (let cut = first; cut < text.length; cut += characterLength(text, cut)) {
      const left = symbolId(text.slice(0, cut), cut === first);
      const right = left === undefined ? undefined : symbolId(text.slice(cut), cut + characterLength(text, cut) === text.length);
      if (left !== undefined && right !== undefined) {
        pairs.push(left, right, id);
      }
    }
  }
  const rules = new PairTable(pairs.length / 3);
  for (let i = 0; i < pairs.length; i += 3) {
    const merged = pairs[i + 2] as number;
    rules.add(pairs[i] as number, pairs[i + 1] as number, merged, -(model.scores?.[merged] ?? 0));
  }
  return { rules, parts };
}

function characterLength(text: string, place: number): number {
  return (text.codePointAt(place) as number) > 0xffff ? 2 : 1;
}

/** Whether joining may cross from a word's last character to the next space mark; then a text cannot be cut into words. */
function hasInnerSpace(vocabulary: ReadonlyMap<string, number>): boolean {
  for (const text of vocabulary.keys()) {
    if (/[^▁]▁/u.test(text)) {
      return true;
    }
  }
  return false;
}
