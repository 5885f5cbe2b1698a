import { TarsError } from '../errors/index.js';
import { AddedTokens } from './added-tokens.js';
import { BytePairEncoder } from './byte-pair-encoder.js';
import { decodeByteLevel } from './byte-level.js';
import type { TokenizerModel } from './model.js';
import { SentencePieceEncoder, spaceMark } from './sentence-piece-encoder.js';
import type { TextEncoder } from './text-encoder.js';
import { tokenType } from './token-type.js';

export interface EncodeOptions {
  /** Put BOS in front if the model asks for it and the text does not begin with it already. Default false. */
  readonly addBos?: boolean;
  /** Read control tokens written in the text (`<|im_start|>`) as tokens. User-defined tokens always are. Default false. */
  readonly parseSpecial?: boolean;
}

export interface DecodeOptions {
  /** Write control tokens as their text instead of nothing. Default false. */
  readonly renderControl?: boolean;
  /**
   * The ids go on from earlier ones (an answer after a prompt), so the space that a SentencePiece vocabulary puts before
   * the first word belongs to the text. Default false: it is the encoder's own space and is dropped.
   */
  readonly isContinuation?: boolean;
}

export interface Tokenizer {
  readonly vocabSize: number;
  readonly bosId: number | undefined;
  /** Ids that end a generation. */
  readonly endIds: readonly number[];
  /** Lone surrogates become U+FFFD. Never throws. */
  encode(text: string, options?: EncodeOptions): number[];
  /** Bytes that form no UTF-8 become U+FFFD. Throws TarsError BAD_REQUEST for an id outside the vocabulary. */
  decode(ids: readonly number[], options?: DecodeOptions): string;
  /** Bytes of one token; none for a control token unless `renderControl`. The caller must not write into them. */
  tokenBytes(id: number, renderControl?: boolean): Uint8Array;
  /** `tokenBytes` as text, control tokens included. */
  tokenText(id: number): string;
  /** Control and unknown tokens: no part of the text. */
  isControl(id: number): boolean;
  /** Whether a space at the start of decoded text is the encoder's own. */
  readonly hasSpacePrefix: boolean;
}

/** Throws TarsError TOKENIZER_UNSUPPORTED for an unknown pre-tokenizer or an empty vocabulary. */
export function createTokenizer(model: TokenizerModel): Tokenizer {
  if (model.tokens.length === 0) {
    throw new TarsError('TOKENIZER_UNSUPPORTED', { reason: 'the vocabulary is empty' });
  }
  return new VocabularyTokenizer(model);
}

const noBytes = new Uint8Array(0);
const loneSurrogates = /\p{Surrogate}/gu;

class VocabularyTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly bosId: number | undefined;
  readonly endIds: readonly number[];
  readonly hasSpacePrefix: boolean;
  readonly #model: TokenizerModel;
  readonly #encoder: TextEncoder;
  readonly #userDefinedTokens: AddedTokens;
  readonly #allAddedTokens: AddedTokens;
  readonly #bytes: (Uint8Array | undefined)[];

  constructor(model: TokenizerModel) {
    this.#model = model;
    this.vocabSize = model.tokens.length;
    this.bosId = model.bosId;
    this.endIds = model.endIds;
    this.hasSpacePrefix = model.kind === 'spm' && model.addSpacePrefix;
    this.#bytes = new Array<Uint8Array | undefined>(model.tokens.length);
    const vocabulary = new Map<string, number>();
    const byteIds = new Map<number, number>();
    const userDefined: [string, number][] = [];
    const control: [string, number][] = [];
    model.tokens.forEach((text, id) => {
      const type = this.#typeOf(id);
      if (type === tokenType.userDefined) {
        userDefined.push([text, id]);
      } else if (type === tokenType.control || type === tokenType.unknown) {
        control.push([text, id]);
      } else if (type === tokenType.byte && byteValue(text) !== undefined) {
        byteIds.set(byteValue(text) ?? 0, id);
      }
      // SentencePiece joins characters into user-defined pieces too, which GGUF writes with its space mark.
      if (type === tokenType.normal || type === tokenType.unused || (type === tokenType.userDefined && model.kind === 'spm')) {
        vocabulary.set(text, id);
      }
    });
    this.#userDefinedTokens = new AddedTokens(userDefined);
    this.#allAddedTokens = new AddedTokens([...control, ...userDefined]);
    this.#encoder =
      model.kind === 'bpe' ? new BytePairEncoder(model, vocabulary) : new SentencePieceEncoder(model, vocabulary, byteIds);
  }

  encode(text: string, options: EncodeOptions = {}): number[] {
    const ids: number[] = [];
    const added = options.parseSpecial === true ? this.#allAddedTokens : this.#userDefinedTokens;
    let isAfterToken = true;
    for (const section of added.split(text.replace(loneSurrogates, '\uFFFD'))) {
      if (section.kind === 'token') {
        ids.push(section.id);
        isAfterToken = true;
      } else {
        this.#encoder.encode(section.text, isAfterToken, ids);
        isAfterToken = false;
      }
    }
    // A chat template may have written BOS itself; twice would be outside of what the model was trained on.
    if (options.addBos === true && this.#model.addBos && this.bosId !== undefined && ids[0] !== this.bosId) {
      ids.unshift(this.bosId);
    }
    return ids;
  }

  decode(ids: readonly number[], options: DecodeOptions = {}): string {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let text = '';
    for (const id of ids) {
      text += decoder.decode(this.tokenBytes(id, options.renderControl), { stream: true });
    }
    text += decoder.decode();
    const dropsSpace = this.hasSpacePrefix && options.isContinuation !== true;
    return dropsSpace && text.startsWith(' ') ? text.slice(1) : text;
  }

  tokenBytes(id: number, renderControl = false): Uint8Array {
    if (!renderControl && this.isControl(id)) {
      return noBytes;
    }
    return (this.#bytes[id] ??= this.#readBytes(this.#textOf(id), this.#typeOf(id)));
  }

  tokenText(id: number): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.tokenBytes(id, true));
  }

  isControl(id: number): boolean {
    this.#textOf(id);
    const type = this.#typeOf(id);
    return type === tokenType.control || type === tokenType.unknown;
  }

  #textOf(id: number): string {
    const text = this.#model.tokens[id];
    if (text === undefined) {
      throw new TarsError('BAD_REQUEST', { reason: `token id ${id} is not in the vocabulary of ${this.vocabSize} tokens` });
    }
    return text;
  }

  #typeOf(id: number): number {
    return this.#model.tokenTypes[id] ?? tokenType.normal;
  }

  #readBytes(text: string, type: number): Uint8Array {
    if (type === tokenType.control || type === tokenType.unknown) {
      return Buffer.from(text, 'utf8');
    }
    if (this.#model.kind === 'bpe') {
      const bytes = type === tokenType.userDefined ? undefined : decodeByteLevel(text);
      return bytes ?? Buffer.from(text, 'utf8');
    }
    const byte = type === tokenType.byte ? byteValue(text) : undefined;
    return byte === undefined ? Buffer.from(text.replaceAll(spaceMark, ' '), 'utf8') : Uint8Array.of(byte);
  }
}

/** Value of a byte token's text, `<0x0A>`. */
function byteValue(text: string): number | undefined {
  const digits = /^<0x([0-9A-Fa-f]{2})>$/.exec(text)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}
