import { describe, expect, it } from 'vitest';
import { loadXGrammar } from '../library.js';
import { schemaGrammar } from './schema-grammar.js';

/** Schema, texts that it allows, texts that it does not. */
type Case = readonly [schema: unknown, right: readonly string[], wrong: readonly string[]];

const cases: Readonly<Record<string, Case>> = {
  'any value': [true, ['1', '"a"', '{"a": [null]}', ' \n[]'], ['', '{']],
  'no keywords': [{ title: 'x', description: 'y' }, ['1', '{}'], ['x']],
  const: [{ const: { a: [1, 'b'] } }, ['{"a": [1, "b"]}', '{"a":[1,"b"]}'], ['{"a": [1]}']],
  'enum of all kinds': [{ enum: ['é"', 1, null, true, 1.5] }, ['"é\\""', '1', 'null', 'true', '1.5'], ['2', 'false', '"e"']],
  'enum with a type': [{ type: 'string', enum: ['a', null] }, ['"a"'], ['null']],
  'several types': [{ type: ['string', 'null'] }, ['"a"', 'null'], ['1']],
  'an object or null': [
    { type: ['object', 'null'], properties: { a: { type: 'integer' } }, required: ['a'] },
    ['{"a": 1}', 'null'],
    ['{}'],
  ],
  'any object': [{ type: 'object' }, ['{}', '{"a": 1, "b": {"c": []}}'], ['[]', '1']],
  'properties in order': [
    { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'string' }, c: { type: 'null' } }, required: ['b'] },
    ['{"b": "x"}', '{"a": 1, "b": ""}', '{"b": "x", "c": null}', '{"a":1,"b":"","c":null}', '{\n  "b": ""\n}'],
    ['{}', '{"a": 1}', '{"b": 1}', '{"c": null, "b": ""}', '{"b": "", "d": 1}', '{"b": "",}'],
  ],
  'further properties': [
    { type: 'object', properties: { ab: { type: 'integer' } }, additionalProperties: true },
    ['{}', '{"ab": 1}', '{"ab": 1, "x": "y"}', '{"x": 1}', '{"a": "x"}', '{"abc": "x"}', '{"": 1}'],
    ['{"ab": "x"}', '{"x": 1, "ab": "x"}'],
  ],
  'a map': [{ type: 'object', additionalProperties: { type: 'integer' } }, ['{}', '{"x": 1, "y": 2}'], ['{"x": "a"}']],
  'names of a map': [
    { type: 'object', propertyNames: { pattern: '^[a-z]+$' }, additionalProperties: { type: 'integer' } },
    ['{"ab": 1}', '{}'],
    ['{"A": 1}'],
  ],
  'size of a map': [
    { type: 'object', minProperties: 1, maxProperties: 2 },
    ['{"a": 1}', '{"a": 1, "b": 2}'],
    ['{}', '{"a": 1, "b": 2, "c": 3}'],
  ],
  'a required property without a schema': [{ type: 'object', required: ['b'] }, ['{"b": [1]}'], ['{}']],
  'an impossible property that is optional': [{ type: 'object', properties: { a: false } }, ['{}'], ['{"a": 1}']],
  'names that need escapes': [
    { type: 'object', properties: { 'a"b\n日': { type: 'integer' } }, required: ['a"b\n日'] },
    ['{"a\\"b\\n日": 1}'],
    ['{"ab": 1}'],
  ],
  'type by keywords': [{ properties: { a: { minimum: 1 } }, required: ['a'] }, ['{"a": 1.5}'], ['{"a": 0}', '[]']],
  'any list': [{ type: 'array' }, ['[]', '[1, "a", []]'], ['{}']],
  items: [{ type: 'array', items: { type: 'integer' } }, ['[]', '[1]', '[1, 2, 3]'], ['["a"]', '[1,]']],
  'length of a list': [
    { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 3 },
    ['[1, 2]', '[1,2,3]'],
    ['[1]', '[1,2,3,4]', '[]'],
  ],
  'one item': [{ type: 'array', items: { type: 'integer' }, maxItems: 1 }, ['[]', '[1]'], ['[1, 2]']],
  'a tuple': [
    { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string' }], minItems: 2 },
    ['[1, "a"]'],
    ['[1]', '[1, "a", 2]', '["a", 1]'],
  ],
  'an open tuple': [
    { type: 'array', prefixItems: [{ type: 'integer' }], items: { type: 'string' } },
    ['[]', '[1]', '[1, "a", "b"]'],
    ['["a"]', '[1, 2]'],
  ],
  'a tuple of older drafts': [
    { type: 'array', items: [{ type: 'integer' }], additionalItems: false, minItems: 1 },
    ['[1]'],
    ['[]', '[1, 2]'],
  ],
  'integers from': [{ type: 'integer', minimum: 5 }, ['5', '9', '10', '49', '123'], ['4', '-5', '05', '5.5']],
  'integers to': [{ type: 'integer', maximum: 120 }, ['120', '119', '99', '0', '-7'], ['121', '200', '1000']],
  'integers below zero': [{ type: 'integer', minimum: -15, maximum: -3 }, ['-3', '-15', '-10'], ['-2', '-16', '3', '0']],
  'integers around zero': [{ type: 'integer', minimum: -1, exclusiveMaximum: 2 }, ['-1', '0', '1'], ['2', '-2', '-0']],
  'integers 1 to 10': [{ type: 'integer', minimum: 1, maximum: 10, multipleOf: 1 }, ['1', '10'], ['0', '11', '100']],
  'numbers from': [
    { type: 'number', minimum: 0.5 },
    ['0.5', '0.51', '0.6', '1', '3.25', '12'],
    ['0.4', '0.49', '0', '-1', '0.05'],
  ],
  'numbers between': [
    { type: 'number', minimum: 0.5, maximum: 2 },
    ['0.5', '1', '1.75', '2', '2.0'],
    ['2.5', '2.01', '0.1', '3'],
  ],
  'numbers above zero': [{ type: 'number', exclusiveMinimum: 0 }, ['0.1', '3', '0.001', '17.5'], ['0', '0.0', '-1']],
  'a probability': [{ type: 'number', minimum: 0, maximum: 1 }, ['0', '1', '0.5', '0.0', '1.0', '0.999'], ['1.1', '-0.1', '2']],
  'numbers of one whole part': [
    { type: 'number', minimum: 1.12, maximum: 1.175 },
    ['1.12', '1.13', '1.175', '1.17', '1.1200'],
    ['1.1', '1.119', '1.176', '1.18', '1', '1.2'],
  ],
  'numbers below a fraction': [
    { type: 'number', minimum: 0, exclusiveMaximum: 0.25 },
    ['0', '0.2', '0.249', '0.1'],
    ['0.25', '0.3', '0.250', '1'],
  ],
  'negative numbers': [
    { type: 'number', minimum: -1.5, maximum: -0.5 },
    ['-1.5', '-1', '-0.5', '-0.75'],
    ['-1.6', '-0.4', '0.7', '1'],
  ],
  'length of a string': [{ type: 'string', minLength: 2, maxLength: 3 }, ['"ab"', '"abc"', '"\\n日"'], ['"a"', '"abcd"', '""']],
  pattern: [{ type: 'string', pattern: '^[a-z]{2}-\\d+$' }, ['"ab-12"'], ['"ab-"', '"ABC-1"', '"xab-1"']],
  'pattern without anchors': [{ type: 'string', pattern: 'b+' }, ['"abc"', '"b"', '"\\"b"'], ['"xyz"']],
  'pattern with alternatives': [{ type: 'string', pattern: '^(?:cat|dog)s?$' }, ['"cat"', '"dogs"'], ['"cow"']],
  'pattern with characters to escape': [
    { type: 'string', pattern: '^["\\\\\\n]$' },
    ['"\\""', '"\\\\"', '"\\n"'],
    ['"a"', '"""'],
  ],
  'pattern of everything else': [{ type: 'string', pattern: '^[^a-z]$' }, ['"A"', '"\\""', '"日"'], ['"a"', '"AB"']],
  date: [{ type: 'string', format: 'date' }, ['"2024-02-03"'], ['"2024-13-03"', '"x"']],
  'date-time': [
    { type: 'string', format: 'date-time' },
    ['"2024-02-03T12:13:14Z"', '"2024-02-03T12:13:14.5+02:00"'],
    ['"2024-02-03"'],
  ],
  time: [{ type: 'string', format: 'time' }, ['"12:13:14Z"'], ['"25:00:00Z"']],
  email: [{ type: 'string', format: 'email' }, ['"a.b+c@d-e.org"'], ['"a"', '"a@b"']],
  uuid: [{ type: 'string', format: 'uuid' }, ['"123e4567-e89b-12d3-a456-426614174000"'], ['"123"']],
  ipv4: [{ type: 'string', format: 'ipv4' }, ['"1.2.3.255"'], ['"1.2.3.256"', '"1.2.3"']],
  ipv6: [{ type: 'string', format: 'ipv6' }, ['"::1"', '"2001:db8::ff00:42"', '"1:2:3:4:5:6:7:8"'], ['"1:2"', '"g::"']],
  uri: [{ type: 'string', format: 'uri' }, ['"https://a.b/c?d=[e]#f"'], ['"a b"', '"x"']],
  duration: [{ type: 'string', format: 'duration' }, ['"P1DT2H"', '"PT5M"'], ['"P"', '"1D"']],
  'an unknown format': [{ type: 'string', format: 'colour' }, ['"x"'], ['1']],
  anyOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }, ['1', '"a"'], ['null']],
  'anyOf beside properties': [
    {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
      anyOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    ['{"a": 1}', '{"b": 1}', '{"a": 1, "b": 2}'],
    ['{}'],
  ],
  allOf: [
    {
      allOf: [{ $ref: '#/$defs/named' }, { type: 'object', properties: { age: { type: 'integer' } }, required: ['age'] }],
      $defs: { named: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
    },
    ['{"name": "x", "age": 1}'],
    ['{"name": "x"}', '{"age": 1}'],
  ],
  $ref: [
    {
      type: 'object',
      properties: { x: { $ref: '#/definitions/a~1b', description: 'd' } },
      required: ['x'],
      definitions: { 'a/b': { type: 'integer' } },
    },
    ['{"x": 1}'],
    ['{"x": "a"}'],
  ],
  'a tree': [
    {
      $ref: '#/$defs/node',
      $defs: {
        node: {
          type: 'object',
          properties: { v: { type: 'integer' }, c: { type: 'array', items: { $ref: '#/$defs/node' } } },
          required: ['v'],
        },
      },
    },
    ['{"v": 1}', '{"v": 1, "c": [{"v": 2, "c": []}]}'],
    ['{"v": 1, "c": [{}]}'],
  ],
  'a schema in itself': [{ type: 'object', properties: { n: { $ref: '#' } } }, ['{}', '{"n": {"n": {}}}'], ['{"n": 1}']],
};

const refused: Readonly<Record<string, readonly [schema: unknown, message: string]>> = {
  'a word': ['x', '#: a schema must be an object or a boolean'],
  false: [false, '#: no value is valid'],
  'an unknown keyword': [
    { type: 'object', properties: { a: { not: {} } } },
    '#/properties/a: the keyword "not" is not supported',
  ],
  'an unknown type': [{ type: 'text' }, '#: there is no type "text"'],
  conditions: [{ if: {}, then: {} }, 'the keyword "if" is not supported'],
  uniqueItems: [{ type: 'array', uniqueItems: true }, '"uniqueItems" is not supported'],
  multipleOf: [{ type: 'integer', multipleOf: 3 }, '"multipleOf" is not supported'],
  patternProperties: [{ patternProperties: {} }, '"patternProperties" is not supported'],
  'another file': [{ $ref: 'http://a/b' }, 'must name a place in the same schema'],
  'a missing place': [{ $ref: '#/$defs/a' }, 'names nothing'],
  'a loop': [{ $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } }, 'leads only to itself'],
  'an empty enum': [{ enum: [] }, '"enum" must be a list with at least one value'],
  'no integer': [{ type: 'integer', minimum: 1.2, maximum: 1.8 }, 'no integer lies between the bounds'],
  'no number': [{ type: 'number', minimum: 2, maximum: 1 }, 'no number lies between the bounds'],
  'no length': [{ type: 'string', minLength: 3, maxLength: 2 }, '"maxLength" is smaller'],
  'look-around': [{ type: 'string', pattern: '(?=a)b' }, '#/pattern: look-around'],
  'a back reference': [{ type: 'string', pattern: '(a)\\1' }, '\\1 is not supported'],
  'a broken pattern': [{ type: 'string', pattern: '(a' }, 'a group is not closed'],
  'a pattern and a length': [{ type: 'string', pattern: 'a', minLength: 3 }, 'cannot be combined'],
  'a huge repetition': [{ type: 'string', maxLength: 1e6 }, 'a repetition of more than 1000'],
  'types that contradict': [{ allOf: [{ type: 'string' }, { type: 'integer' }] }, 'two different "type" cannot be combined'],
  'an impossible property': [{ properties: { a: false }, required: ['a'] }, '#/properties/a: no value is valid'],
};

const { Grammar, Testings } = loadXGrammar();

describe('schemaGrammar', () => {
  it.each(Object.entries(cases))('%s', async (_, [schema, right, wrong]) => {
    const grammar = await Grammar.fromEBNF(schemaGrammar(schema));
    for (const text of right) {
      expect(await Testings.isGrammarAcceptString(grammar, text), text).toBe(true);
    }
    for (const text of wrong) {
      expect(await Testings.isGrammarAcceptString(grammar, text), text).toBe(false);
    }
  });

  it.each(Object.entries(refused))('refuses %s', (_, [schema, message]) => {
    expect(() => schemaGrammar(schema)).toThrow(message);
  });

  it('refuses what is too deep and what explodes, at once', () => {
    let deep: unknown = { type: 'integer' };
    for (let level = 0; level < 100; level++) {
      deep = { type: 'array', items: deep };
    }
    expect(() => schemaGrammar(deep)).toThrow('more than 64 levels deep');
    const wide = { anyOf: Array.from({ length: 40_000 }, (_, index) => ({ const: `value ${index}` })) };
    const start = performance.now();
    expect(() => schemaGrammar(wide)).toThrow('too large');
    // Each definition holds the one before it twice: 2^15 objects when written out.
    const defs: Record<string, unknown> = { d0: { type: 'string' } };
    for (let index = 1; index <= 15; index++) {
      const before = { $ref: `#/$defs/d${index - 1}` };
      defs[`d${index}`] = { allOf: [{ properties: { a: before, b: before } }, { required: ['a'] }] };
    }
    expect(schemaGrammar({ $ref: '#/$defs/d15', $defs: defs }).length).toBeLessThan(20_000);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
