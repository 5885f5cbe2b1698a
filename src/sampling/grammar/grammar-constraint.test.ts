import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { defaultSamplingOptions } from '../options.js';
import { RandomGenerator } from '../random.js';
import { Sampler } from '../sampler.js';
import { GrammarCompiler, type ConstraintThinking } from './grammar-compiler.js';
import { GrammarThread } from './grammar-thread.js';
import { jsonObjectGrammar } from './json-grammar.js';
import { schemaGrammar } from './schema/schema-grammar.js';

const tags = { open: '<think>', close: '</think>' };
const endId = 0;
const controlId = 1;

const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
const texts = [
  '',
  '',
  ...ascii,
  '\n',
  '\n\n',
  '{"',
  '": ',
  '", "',
  'true',
  'null',
  '12',
  '<think>',
  '</think>',
  '</think>\n\n',
  'é',
];

/** The vocabulary in the two spellings that models come with. */
const spelled = {
  byte_level: (text: string) => text.replaceAll(' ', 'Ġ').replaceAll('\n', 'Ċ').replace('é', 'Ã©'),
  byte_fallback: (text: string) => (text === '\n' ? '<0x0A>' : text.replaceAll(' ', '▁')),
};

function createCompiler(kind: keyof typeof spelled): GrammarCompiler {
  return new GrammarCompiler({
    kind,
    spellings: texts.map(spelled[kind]),
    size: texts.length + 3, // rows of scores may be longer than the vocabulary
    endIds: [endId],
    textOf: (id) => texts[id] ?? '',
  });
}

/** Samples from noise that likes to end things, until the end token or `limit` tokens. */
async function generate(
  compiler: GrammarCompiler,
  seed: number,
  options: { thinking?: ConstraintThinking; limit?: number; likes?: string; grammar?: string } = {},
): Promise<{ text: string; hasEnded: boolean }> {
  const { thinking, limit = 400, likes = '"}]', grammar = jsonObjectGrammar } = options;
  using constraint = await compiler.constraint(grammar, thinking);
  const sampler = new Sampler(
    { ...defaultSamplingOptions, temperature: 1, topK: 0, topP: 1, seed },
    texts.length + 3,
    constraint,
  );
  const random = new RandomGenerator(seed);
  let text = '';
  for (let step = 0; step < limit; step++) {
    const logits = Float32Array.from({ length: texts.length + 3 }, () => random.next() * 4);
    [...likes].forEach((character) => (logits[texts.indexOf(character)] = 5 + (3 * step) / limit));
    logits[endId] = 6;
    // Thinking is free to use control tokens, as an answer without a grammar is.
    logits[controlId] = thinking === undefined ? 20 : -20;
    logits[texts.length] = thinking === undefined ? 20 : -20;
    logits[texts.length + 1] = -20;
    logits[texts.length + 2] = -20;
    logits[texts.indexOf('</think>')] = thinking === undefined ? 0 : 6;
    const before = logits.slice();
    await constraint.ready();
    const id = sampler.sample(logits);
    expect(logits).toEqual(before);
    expect(id).not.toBe(controlId);
    expect(id).toBeLessThan(texts.length);
    if (id === endId) {
      return { text, hasEnded: true };
    }
    text += texts[id] ?? '';
  }
  return { text, hasEnded: false };
}

describe.each(['byte_level', 'byte_fallback'] as const)('a constraint to JSON, %s', (kind) => {
  const compiler = createCompiler(kind);

  it('lets nothing out but one JSON object, and ends only behind it', async () => {
    let numEnded = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const { text, hasEnded } = await generate(compiler, seed);
      numEnded += hasEnded ? 1 : 0;
      expect(text.trimStart()[0]).toBe('{');
      if (hasEnded) {
        expect(typeof JSON.parse(text)).toBe('object');
      } else {
        expect(() => JSON.parse(text) as unknown).toThrow();
      }
    }
    expect(numEnded).toBeGreaterThan(40);
  });

  it('leaves thinking alone, whether the prompt or the model opened it, and holds for what follows', async () => {
    let numEnded = 0;
    for (let seed = 1; seed <= 30; seed++) {
      for (const isInside of [true, false]) {
        const { text, hasEnded } = await generate(compiler, seed, { thinking: { ...tags, isInside } });
        const opened = isInside ? tags.open + text : text;
        const answer = opened.trimStart().startsWith(tags.open)
          ? opened.slice(opened.indexOf(tags.close) + tags.close.length)
          : opened;
        if (hasEnded) {
          numEnded++;
          expect(typeof JSON.parse(answer)).toBe('object');
        }
      }
    }
    expect(numEnded).toBeGreaterThan(20);
  });

  it('lets a model open its thinking, in one token or letter by letter', async () => {
    for (const pieces of [['<think>'], ['\n', ...'<think>']]) {
      using constraint = await compiler.constraint(jsonObjectGrammar, { ...tags, isInside: false });
      for (const piece of [...pieces, 'a', '}', '</think>\n\n', '{"', 'a', '": ', '12', '}']) {
        await constraint.ready();
        const id = texts.indexOf(piece);
        expect(constraint.masked(new Float32Array(texts.length + 3))[id], piece).toBe(0);
        constraint.accept(id);
      }
      await constraint.ready();
      const allowed = constraint.masked(new Float32Array(texts.length + 3));
      expect([...allowed.keys()].filter((id) => allowed[id] === 0)).toEqual([endId]);
    }
  });

  it('allows only the rest of an opening tag once that has begun', async () => {
    using constraint = await compiler.constraint(jsonObjectGrammar, { ...tags, isInside: false });
    constraint.accept(texts.indexOf('<'));
    await constraint.ready();
    const allowed = constraint.masked(new Float32Array(texts.length + 3));
    expect([...allowed.keys()].filter((id) => allowed[id] === 0).map((id) => texts[id])).toEqual(['t']);
  });

  it('may be disposed right after a token, as an answer that is cut at its limit does', async () => {
    const constraint = await compiler.constraint(jsonObjectGrammar, undefined);
    constraint.accept(texts.indexOf('{'));
    const ready = constraint.ready();
    constraint[Symbol.dispose]();
    constraint[Symbol.dispose]();
    await expect(ready).resolves.toBeUndefined();
  });
});

// What comes out is judged by a validator that knows nothing of grammars.
describe('a constraint to a JSON schema', () => {
  const compiler = createCompiler('byte_level');
  const validator = new Ajv2020({ strict: false });
  addFormats.default(validator);

  it.each([
    {
      type: 'object',
      properties: { name: { type: 'string', minLength: 1, maxLength: 8 }, age: { type: 'integer', minimum: 0, maximum: 130 } },
      required: ['name', 'age'],
    },
    {
      type: 'object',
      properties: { a: { type: 'number', exclusiveMinimum: 0.25, maximum: 12.5 }, b: { enum: ['x', 2, null] } },
      required: ['b'],
      additionalProperties: { type: 'boolean' },
    },
    {
      type: 'array',
      items: {
        anyOf: [
          { type: 'string', pattern: '^[A-Z][a-z]{0,3}$' },
          { type: 'integer', minimum: -17, maximum: -2 },
        ],
      },
      minItems: 1,
      maxItems: 4,
    },
    {
      type: 'object',
      properties: {
        when: { type: 'string', format: 'date-time' },
        ip: { type: 'string', format: 'ipv4' },
        id: { type: 'string', format: 'uuid' },
      },
      required: ['when', 'ip', 'id'],
    },
    {
      type: 'object',
      properties: { v: { type: 'integer', exclusiveMaximum: 100 }, left: { $ref: '#' } },
      required: ['v'],
      additionalProperties: false,
    },
    {
      allOf: [
        { type: 'object', properties: { a: { type: 'string' } } },
        { properties: { b: { type: 'number', minimum: 1.05, maximum: 1.5 } }, required: ['b'] },
      ],
    },
    {
      type: 'object',
      additionalProperties: { type: 'array', prefixItems: [{ const: 'k' }, { type: 'boolean' }], minItems: 2 },
      minProperties: 1,
      maxProperties: 3,
    },
  ])('%j', async (schema) => {
    const validate = validator.compile(schema);
    const grammar = schemaGrammar(schema);
    let numEnded = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const { text, hasEnded } = await generate(compiler, seed, { grammar });
      if (hasEnded) {
        numEnded += 1;
        const value = JSON.parse(text) as unknown;
        expect(validate(value), `${text}: ${JSON.stringify(validate.errors)}`).toBe(true);
      }
    }
    expect(numEnded).toBeGreaterThan(20);
  });
});

describe('the thread of grammars', () => {
  const tables = { kind: 'byte_level', spellings: texts.map(spelled.byte_level), size: texts.length, endIds: [endId] } as const;

  it('refuses a grammar that cannot be read, and goes on', async () => {
    const thread = new GrammarThread(tables);
    await expect(thread.open('root ::= missing')).rejects.toMatchObject({ code: 'GRAMMAR_FAILED' });
    const follower = await thread.open('root ::= "ab"');
    expect([...texts.keys()].filter((id) => ((follower.mask[id >> 5] ?? 0) >>> (id & 31)) & 1).map((id) => texts[id])).toEqual([
      'a',
    ]);
    follower.close();
  });

  it('gives up a grammar that takes too long to compile, and goes on with a new thread', async () => {
    const slow = new GrammarThread(tables, 1);
    await expect(slow.open(jsonObjectGrammar)).rejects.toMatchObject({
      code: 'GRAMMAR_FAILED',
      parameters: { reason: 'it took longer than 0.001 s' },
    });
  });
});
