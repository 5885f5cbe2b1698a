// The tokenizer's data from `tokenizer.ggml.*`, with llama.cpp's defaults for the keys that files leave out.
import { TarsError } from '../../errors/index.js';
import type { TokenizerModel } from '../../tokenizer/index.js';
import { findEndIds, markControl } from './end-tokens.js';
import type { GgufFile } from './gguf-file.js';

const prefix = 'tokenizer.ggml';
const kinds: ReadonlyMap<string, TokenizerModel['kind']> = new Map([
  ['gpt2', 'bpe'],
  ['llama', 'spm'],
]);

/** Pre-tokenizers whose models begin every text with a BOS token unless their file says otherwise. */
const preTokenizersWithBos: ReadonlySet<string> = new Set([
  'llama3',
  'llama-v3',
  'llama-bpe',
  'falcon3',
  'falcon-h1',
  'pixtral',
  'midm-2.0',
  'lfm2',
  'jina-v5-nano',
  'tekken',
  'chameleon',
]);

const normalType = 1;

/** Decodes the whole vocabulary (tens of milliseconds). Errors: FORMAT_UNSUPPORTED for another kind, FILE_INVALID. */
export function readTokenizer(file: GgufFile): TokenizerModel {
  const { metadata } = file;
  const kind = readKind(file);
  const tokens = metadata.strings(`${prefix}.tokens`);
  if (tokens === undefined) {
    throw metadata.invalid(`${prefix}.tokens`, 'is missing');
  }
  const storedTypes = perToken(file, `${prefix}.token_type`, tokens.length) ?? new Uint8Array(tokens.length).fill(normalType);
  const scores = kind === 'spm' ? perToken(file, `${prefix}.scores`, tokens.length) : undefined;
  const merges = kind === 'bpe' ? readMerges(file) : undefined;
  const ids = readSpecialIds(file, kind, tokens.length);
  const endIds = findEndIds([ids.eosId, ...readEndIds(file, tokens.length)], tokens, storedTypes);
  const preTokenizer = metadata.string(`${prefix}.pre`) ?? 'default';
  const addBos = metadata.boolean(`${prefix}.add_bos_token`) ?? (kind === 'spm' || preTokenizersWithBos.has(preTokenizer));
  const addEos = metadata.boolean(`${prefix}.add_eos_token`) ?? false;
  return {
    kind,
    preTokenizer,
    tokens,
    tokenTypes: markControl(storedTypes, endIds),
    ...(scores !== undefined && { scores }),
    ...(merges !== undefined && { merges }),
    ...ids,
    endIds,
    addBos: addBos && ids.bosId !== undefined,
    addEos: addEos && ids.eosId !== undefined,
    addSpacePrefix: metadata.boolean(`${prefix}.add_space_prefix`) ?? kind === 'spm',
  };
}

function readKind(file: GgufFile): TokenizerModel['kind'] {
  const name = file.metadata.string(`${prefix}.model`);
  const kind = name === undefined ? undefined : kinds.get(name);
  if (kind === undefined) {
    throw new TarsError('FORMAT_UNSUPPORTED', {
      file: file.path,
      reason: `${name === undefined ? 'it has no tokenizer' : `tokenizer "${name}" is not supported`}; supported: ${[...kinds.keys()].join(', ')}`,
    });
  }
  return kind;
}

function readMerges(file: GgufFile): readonly string[] {
  const merges = file.metadata.strings(`${prefix}.merges`);
  if (merges === undefined) {
    throw file.metadata.invalid(`${prefix}.merges`, 'is missing');
  }
  return merges;
}

function perToken(file: GgufFile, key: string, numTokens: number): ArrayLike<number> | undefined {
  const length = file.metadata.arrayLength(key);
  if (length !== undefined && length !== numTokens) {
    throw file.metadata.invalid(key, `has ${length} values for ${numTokens} tokens`);
  }
  return file.metadata.numbers(key);
}

type SpecialIds = Pick<TokenizerModel, 'bosId' | 'eosId' | 'unknownId' | 'paddingId'>;

/** SentencePiece vocabularies put `<unk>`, `<s>` and `</s>` first; byte-level ones have no such convention. */
function readSpecialIds(file: GgufFile, kind: TokenizerModel['kind'], numTokens: number): SpecialIds {
  const fallback = (id: number): number | undefined => (kind === 'spm' && id < numTokens ? id : undefined);
  const bosId = readId(file, 'bos_token_id', numTokens) ?? fallback(1);
  const eosId = readId(file, 'eos_token_id', numTokens) ?? fallback(2);
  const unknownId = readId(file, 'unknown_token_id', numTokens) ?? fallback(0);
  const paddingId = readId(file, 'padding_token_id', numTokens);
  return {
    ...(bosId !== undefined && { bosId }),
    ...(eosId !== undefined && { eosId }),
    ...(unknownId !== undefined && { unknownId }),
    ...(paddingId !== undefined && { paddingId }),
  };
}

function readEndIds(file: GgufFile, numTokens: number): (number | undefined)[] {
  const names = ['eot_token_id', 'eom_token_id', 'fim_pad_token_id', 'fim_rep_token_id', 'fim_sep_token_id'];
  return names.map((name) => readId(file, name, numTokens));
}

/** An id outside the vocabulary is a known fault of converters (`-1` or 2^32 - 1 for "none") and counts as missing. */
function readId(file: GgufFile, name: string, numTokens: number): number | undefined {
  const id = file.metadata.number(`${prefix}.${name}`);
  return id !== undefined && Number.isSafeInteger(id) && id >= 0 && id < numTokens ? id : undefined;
}
