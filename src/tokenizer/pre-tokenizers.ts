// The named pre-tokenizers of byte-level BPE (GGUF key `tokenizer.ggml.pre`). Each is a list of regular expressions in the
// dialect of Hugging Face's tokenizer.json: every match becomes a piece of its own, and so does what lies between matches;
// the next expression then works inside each piece. Where llama.cpp approximates a model's own expression (its engine lacks
// the Unicode classes), the model's own is used here.
import { SplitPreTokenizer } from '@huggingface/tokenizers';
import { TarsError } from '../errors/index.js';

export interface PreTokenizer {
  /** A piece that is a whole vocabulary entry is taken as it is, without merging. */
  readonly ignoreMerges: boolean;
  /** Pieces of the text, in order; joined they are the text. */
  split(text: string): string[];
}

const contractions = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const gpt2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const spaces = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const llama3 = String.raw`${contractions}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|${spaces}`;
const qwen2 = String.raw`${contractions}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|${spaces}`;
const qwen35 = String.raw`${contractions}|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|${spaces}`;
const ufakzeka = String.raw`[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|${spaces}`;
const seedCoder = String.raw`${contractions}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|${spaces}`;
const bailing = String.raw`${contractions}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`;
const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const prefix = String.raw`[^\r\n\p{L}\p{N}]?`;
const symbolsAndSlash = String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*`;
const tekken = String.raw`${prefix}${upper}*${lower}+|${prefix}${upper}+${lower}*|\p{N}|${symbolsAndSlash}|${spaces}`;
const gpt4oWords = `${prefix}${upper}*${lower}+${contractions}?|${prefix}${upper}+${lower}*${contractions}?`;
const gpt4o = String.raw`${gpt4oWords}|\p{N}{1,3}|${symbolsAndSlash}|${spaces}`;
const youtu = String.raw`${gpt4oWords}|\p{N}|${symbolsAndSlash}|${spaces}`;
const youtuCjk = '[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+';
const deepseekWords =
  String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_` +
  '`' +
  String.raw`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|${spaces}`;
const deepseekCjk = '[一-龥぀-ゟ゠-ヿ]+';
// Cased letters of the Unicode version that DeepSeek's training used, written out as its tokenizer.json does.
const deepseekLetters =
  'A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376' +
  '\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f' +
  '\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77' +
  '\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d' +
  '\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4' +
  '\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139' +
  '\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d' +
  '\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a' +
  '\uff41-\uff5a\u{10400}-\u{1044f}\u{104b0}-\u{104d3}\u{104d8}-\u{104fb}\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}' +
  '\u{118a0}-\u{118df}\u{1e900}-\u{1e943}';
const punctuationRun = String.raw`[\p{P}$+<=>^~|]+`;
const punctuationRunFalcon = '[\\p{P}$+<=>^~|`]+';
const bloom = String.raw` ?[^(\s|.,!?…。，、।۔،)]+`;

interface Recipe {
  readonly names: readonly string[];
  readonly patterns: readonly string[];
  readonly ignoreMerges?: boolean;
}

const recipes: readonly Recipe[] = [
  { names: ['default', ''], patterns: [punctuationRun, gpt2, String.raw`\p{N}+`, '[0-9][0-9][0-9]'] },
  {
    names: ['llama3', 'llama-v3', 'llama-bpe', 'falcon3', 'falcon-h1', 'pixtral', 'midm-2.0', 'lfm2', 'jina-v5-nano'],
    patterns: [llama3],
    ignoreMerges: true,
  },
  { names: ['dbrx', 'smaug-bpe', 'glm4', 'chatglm-bpe'], patterns: [llama3] },
  { names: ['minicpm5'], patterns: [String.raw`\p{N}{1,3}`, llama3.replace('{1,3}', '+')], ignoreMerges: true },
  { names: ['qwen2', 'deepseek-r1-qwen', 'kormo', 'f2llmv2', 'megrez', 'stablelm2', 'hunyuan', 'solar-open'], patterns: [qwen2] },
  { names: ['grok-2'], patterns: [qwen2] },
  { names: ['qwen35'], patterns: [qwen35] },
  { names: ['ufakzeka'], patterns: [ufakzeka] },
  { names: ['seed-coder'], patterns: [seedCoder] },
  { names: ['bailingmoe', 'bailingmoe2', 'llada-moe'], patterns: [bailing] },
  {
    names: [
      'gpt-2',
      'phi-2',
      'jina-es',
      'jina-de',
      'jina-v1-en',
      'jina-v2-es',
      'jina-v2-de',
      'jina-v2-code',
      'roberta-bpe',
      'gigachat',
      'a.x-4.0',
      'mellum',
      'modern-bert',
      'mpt',
      'olmo',
      'jais',
      'exaone4',
      'trillion',
      'granite-docling',
    ],
    patterns: [gpt2],
  },
  {
    names: ['smollm', 'starcoder', 'refact', 'command-r', 'codeshell', 'exaone', 'minerva-7b', 'mellum2'],
    patterns: [String.raw`\p{N}`, gpt2],
  },
  { names: ['falcon'], patterns: [punctuationRunFalcon, gpt2, '[0-9][0-9][0-9]'] },
  { names: ['tekken'], patterns: [tekken], ignoreMerges: true },
  { names: ['gpt-4o', 'llama4', 'kanana2', 'talkie', 'minimax-m2'], patterns: [gpt4o] },
  { names: ['tiny_aya', 'cohere2moe'], patterns: [String.raw`\d{1,3}(?=(?:\d{3})*\b)`, gpt4o] },
  { names: ['youtu'], patterns: [youtuCjk, youtu], ignoreMerges: true },
  { names: ['deepseek-v3', 'hunyuan-dense', 'joyai-llm'], patterns: [String.raw`\p{N}{1,3}`, deepseekCjk, deepseekWords] },
  {
    names: ['deepseek-llm'],
    patterns: [
      String.raw`[\r\n]`,
      String.raw`\s?[${deepseekLetters}]+`,
      String.raw`\s?[!-/:-~！-／：-～‘-‟\u{3000}-。]+`,
      String.raw`\s+$`,
      '[一-龥ࠀ-一가-퟿]+',
      String.raw`\p{N}+`,
    ],
  },
  {
    names: ['deepseek-coder'],
    patterns: [String.raw`[\r\n]`, String.raw`\s?\p{L}+`, String.raw`\s?\p{P}+`, '[一-龥ࠀ-一가-퟿]+', String.raw`\p{N}`],
  },
  { names: ['poro-chat', 'bloom', 'gpt3-finnish'], patterns: [bloom] },
  { names: ['viking'], patterns: [bloom, String.raw`\p{N}`] },
  { names: ['superbpe'], patterns: [String.raw`\p{N}+`, String.raw`(?=(\d{3})+(?!\d))`] },
];

/** Names that `createPreTokenizer` knows, in the order of the table. */
export const preTokenizerNames: readonly string[] = recipes.flatMap((recipe) => recipe.names.filter((name) => name !== ''));

/** Throws TarsError TOKENIZER_UNSUPPORTED for a name that is not in the table. */
export function createPreTokenizer(name: string): PreTokenizer {
  const recipe = recipes.find((candidate) => candidate.names.includes(name));
  if (recipe === undefined) {
    throw new TarsError('TOKENIZER_UNSUPPORTED', { reason: `pre-tokenizer "${name}" is not supported` });
  }
  // The library turns Oniguruma's classes (\s, \d, \b, nested sets) into exact JavaScript equivalents.
  const stages = recipe.patterns.map(
    (pattern) => new SplitPreTokenizer({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }),
  );
  return {
    ignoreMerges: recipe.ignoreMerges ?? false,
    split: (text) => stages.reduce<string[]>((pieces, stage) => stage.pre_tokenize(pieces), [text]),
  };
}
