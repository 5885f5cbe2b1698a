// JSON Schema (2020-12, and what older drafts call differently) to XGrammar's EBNF. The library's own converter was measured and
// is not used: it lets numbers out of their bounds, drops `pattern` without anchors, and ends its process on an escaped key.
import { jsonRules, value as anyValue, whiteSpace as ws } from '../json-grammar.js';
import { terminal } from './char-set.js';
import { literal, otherText } from './json-text.js';
import { count, inferredTypes, isOfType, rangeOf, typesOf, type Schema } from './keywords.js';
import { integerExpression, numberExpression } from './number-range.js';
import { SchemaError } from './schema-error.js';
import { patternExpression, repeated } from './string-pattern.js';
import { formatExpressions } from './string-formats.js';

const maxDepth = 64;
/** Longest grammar. Compiling takes time and memory that grow with it. */
const maxGrammarLength = 200_000;

/** Keywords that say nothing about which values are valid. */
const annotations = new Set(
  '$schema $id $comment $anchor $defs definitions title description default examples example deprecated readOnly writeOnly contentMediaType contentEncoding contentSchema nullable discriminator xml externalDocs'.split(
    ' ',
  ),
);
const supported = new Set(
  'type enum const anyOf oneOf allOf $ref properties required additionalProperties unevaluatedProperties propertyNames minProperties maxProperties items prefixItems additionalItems unevaluatedItems minItems maxItems uniqueItems minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern format'.split(
    ' ',
  ),
);

/**
 * The grammar of the JSON texts that the schema allows, root rule `root`. Properties come in the schema's order; further ones
 * are allowed only where the schema says so or names none at all. Throws SchemaError for a schema that is wrong, that cannot be
 * followed token by token, or that is too large.
 */
export function schemaGrammar(schema: unknown): string {
  return new Converter(schema).convert();
}

class Converter {
  readonly #root: unknown;
  readonly #rules = new Map<string, string>();
  /** Rule of each schema that a $ref names, by the path that it names. */
  readonly #referenced = new Map<string, string>();
  #length = 0;

  constructor(root: unknown) {
    this.#root = root;
  }

  convert(): string {
    const body = this.#visit(this.#root, '#', 0);
    const rules = [...this.#rules].map(([name, text]) => `${name} ::= ${text}`);
    return `root ::= [ \\n\\t]{0,4} ${body}\n${rules.join('\n')}\n${jsonRules}`;
  }

  /** Adds a rule and returns its name. */
  #rule(kind: string, text: string, path: string): string {
    const name = `${kind}_${this.#rules.size}`;
    this.#setRule(name, text, path);
    return name;
  }

  #setRule(name: string, text: string, path: string): void {
    this.#length += name.length + text.length - (this.#rules.get(name)?.length ?? 0);
    if (this.#length > maxGrammarLength) {
      throw new SchemaError(path, 'the schema is too large to be followed');
    }
    this.#rules.set(name, text);
  }

  #visit(schema: unknown, path: string, depth: number): string {
    if (depth > maxDepth) {
      throw new SchemaError(path, `more than ${maxDepth} levels deep`);
    }
    if (schema === true) {
      return anyValue;
    }
    if (schema === false) {
      throw new SchemaError(path, 'no value is valid');
    }
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
      throw new SchemaError(path, 'a schema must be an object or a boolean');
    }
    const object = schema as Schema;
    for (const keyword of Object.keys(object)) {
      if (!supported.has(keyword) && !annotations.has(keyword) && !keyword.startsWith('x-')) {
        throw new SchemaError(path, `the keyword ${JSON.stringify(keyword)} is not supported`);
      }
    }
    if (object['$ref'] !== undefined) {
      return this.#reference(object, path, depth);
    }
    if (object['const'] !== undefined) {
      return literal(object['const']);
    }
    if (object['enum'] !== undefined) {
      return this.#enumeration(object, path);
    }
    for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
      if (object[keyword] !== undefined) {
        return this.#combination(object, keyword, path, depth);
      }
    }
    return this.#typed(object, path, depth);
  }

  #reference(schema: Schema, path: string, depth: number): string {
    const { $ref: target, ...siblings } = schema;
    if (typeof target !== 'string' || !target.startsWith('#')) {
      throw new SchemaError(path, 'a $ref must name a place in the same schema, as "#/$defs/name" does');
    }
    const resolved = this.#resolve(target, path);
    if (Object.keys(siblings).some((keyword) => supported.has(keyword))) {
      return this.#visit(this.#merged(siblings, resolved, path), path, depth + 1);
    }
    let rule = this.#referenced.get(target);
    if (rule === undefined) {
      // Known before its text, so that a schema may contain itself.
      rule = this.#rule('ref', '', path);
      this.#referenced.set(target, rule);
      const text = this.#visit(resolved, target, depth + 1);
      if (text === rule) {
        throw new SchemaError(path, 'a $ref that leads only to itself');
      }
      this.#setRule(rule, text, path);
    }
    return rule;
  }

  #resolve(target: string, path: string): unknown {
    let node: unknown = this.#root;
    for (const part of target.slice(1).split('/').slice(1)) {
      const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      const isThere = typeof node === 'object' && node !== null && Object.hasOwn(node, key);
      if (!isThere) {
        throw new SchemaError(path, `$ref ${JSON.stringify(target)} names nothing`);
      }
      node = (node as Schema)[key];
    }
    return node;
  }

  #enumeration(schema: Schema, path: string): string {
    const values = schema['enum'];
    if (!Array.isArray(values) || values.length === 0) {
      throw new SchemaError(path, '"enum" must be a list with at least one value');
    }
    const types = typesOf(schema, path);
    const valid = (values as unknown[]).filter((value) => types === undefined || types.some((type) => isOfType(value, type)));
    if (valid.length === 0) {
      throw new SchemaError(path, 'no value of "enum" is of the right type');
    }
    return this.#rule('enum', valid.map(literal).join(' | '), path);
  }

  #combination(schema: Schema, keyword: string, path: string, depth: number): string {
    const { [keyword]: members, ...base } = schema;
    if (!Array.isArray(members) || members.length === 0) {
      throw new SchemaError(path, `"${keyword}" must be a list with at least one schema`);
    }
    const hasBase = Object.keys(base).some((name) => supported.has(name));
    if (keyword === 'allOf') {
      const whole = (members as unknown[]).reduce<unknown>((all, member) => this.#merged(all, member, path), base);
      return this.#visit(whole, path, depth + 1);
    }
    const options = (members as unknown[]).map((member, index) => {
      const place = `${path}/${keyword}/${index}`;
      return this.#visit(hasBase ? this.#merged(base, member, place) : member, place, depth + 1);
    });
    return this.#rule('any', [...new Set(options)].join(' | '), path);
  }

  /** One schema that asks for what both ask for. Throws where that is not a matter of putting keywords side by side. */
  #merged(first: unknown, second: unknown, path: string): Schema {
    const [a, b] = [this.#asObject(first, path), this.#asObject(second, path)];
    const merged: Record<string, unknown> = { ...a };
    for (const [keyword, value] of Object.entries(b)) {
      const other = merged[keyword];
      if (other === undefined || annotations.has(keyword) || JSON.stringify(other) === JSON.stringify(value)) {
        merged[keyword] = value;
      } else if (keyword === 'properties') {
        const properties: Record<string, unknown> = { ...(other as Schema) };
        for (const [name, schema] of Object.entries(value as Schema)) {
          const isShared = Object.hasOwn(properties, name);
          properties[name] = isShared ? this.#merged(properties[name], schema, `${path}/properties/${name}`) : schema;
        }
        merged[keyword] = properties;
      } else if (keyword === 'required') {
        merged[keyword] = [...new Set([...(other as unknown[]), ...(value as unknown[])])];
      } else if (keyword === 'minimum' || keyword === 'minLength' || keyword === 'minItems') {
        merged[keyword] = Math.max(Number(other), Number(value));
      } else if (keyword === 'maximum' || keyword === 'maxLength' || keyword === 'maxItems') {
        merged[keyword] = Math.min(Number(other), Number(value));
      } else if (keyword === 'additionalProperties' && (other === true || value === true)) {
        merged[keyword] = other === true ? value : other;
      } else {
        throw new SchemaError(path, `two different ${JSON.stringify(keyword)} cannot be combined`);
      }
    }
    return merged;
  }

  /** The schema itself, or what it refers to. */
  #asObject(schema: unknown, path: string): Schema {
    if (schema === true) {
      return {};
    }
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
      throw new SchemaError(path, 'a schema that is combined with others must be an object');
    }
    const { $ref: target, ...rest } = schema as Schema;
    return typeof target === 'string' ? this.#merged(rest, this.#resolve(target, path), path) : (schema as Schema);
  }

  #typed(schema: Schema, path: string, depth: number): string {
    const types = typesOf(schema, path) ?? inferredTypes(schema);
    if (types === undefined) {
      return anyValue;
    }
    const options = types.map((type) => this.#ofType(type, schema, path, depth));
    return options.length === 1 ? (options[0] ?? anyValue) : this.#rule('any', options.join(' | '), path);
  }

  #ofType(type: string, schema: Schema, path: string, depth: number): string {
    switch (type) {
      case 'object':
        return this.#object(schema, path, depth);
      case 'array':
        return this.#array(schema, path, depth);
      case 'string':
        return this.#string(schema, path);
      case 'number':
      case 'integer':
        return this.#number(type, schema, path);
      case 'boolean':
        return '("true" | "false")';
      case 'null':
        return '"null"';
      default:
        throw new SchemaError(path, `there is no type ${JSON.stringify(type)}`);
    }
  }

  #number(type: 'number' | 'integer', schema: Schema, path: string): string {
    const range = rangeOf(schema, path);
    const isMultiple = schema['multipleOf'] !== undefined && !(type === 'integer' && schema['multipleOf'] === 1);
    if (isMultiple) {
      throw new SchemaError(path, 'the keyword "multipleOf" is not supported');
    }
    if (range.least === undefined && range.most === undefined) {
      return type;
    }
    return attempt(path, () => this.#rule(type, type === 'integer' ? integerExpression(range) : numberExpression(range), path));
  }

  #string(schema: Schema, path: string): string {
    const { pattern, format } = schema;
    const least = count(schema, 'minLength', path) ?? 0;
    const most = count(schema, 'maxLength', path) ?? Infinity;
    const known = typeof format === 'string' ? formatExpressions[format] : undefined;
    const hasLength = least > 0 || most !== Infinity;
    if ([pattern !== undefined, known !== undefined, hasLength].filter(Boolean).length > 1) {
      throw new SchemaError(path, '"pattern", "format" and lengths of one string cannot be combined');
    }
    if (pattern !== undefined) {
      if (typeof pattern !== 'string') {
        throw new SchemaError(path, '"pattern" must be a string');
      }
      const inside = attempt(`${path}/pattern`, () => patternExpression(pattern));
      return this.#rule('string', `"\\"" ${inside} "\\""`, path);
    }
    if (known !== undefined) {
      return this.#rule('string', `"\\"" ${known} "\\""`, path);
    }
    if (!hasLength) {
      return 'string';
    }
    if (most < least) {
      throw new SchemaError(path, '"maxLength" is smaller than "minLength"');
    }
    const inside = attempt(path, () => repeated('character', least, most));
    return this.#rule('string', `"\\"" ${inside} "\\""`, path);
  }

  #array(schema: Schema, path: string, depth: number): string {
    if (schema['uniqueItems'] === true) {
      throw new SchemaError(path, 'the keyword "uniqueItems" is not supported');
    }
    // Before 2020 a list in "items" was what "prefixItems" is now, and "additionalItems" what "items" is.
    const isOld = Array.isArray(schema['items']);
    const prefix = isOld ? schema['items'] : (schema['prefixItems'] ?? []);
    const further = (isOld ? schema['additionalItems'] : schema['items']) ?? schema['unevaluatedItems'];
    if (!Array.isArray(prefix)) {
      throw new SchemaError(path, '"prefixItems" must be a list');
    }
    const least = count(schema, 'minItems', path) ?? 0;
    // A tuple ends with its last schema unless more is said of it, as models and their readers mean it.
    const isClosed = further === false || (further === undefined && prefix.length > 0);
    const most = Math.min(count(schema, 'maxItems', path) ?? Infinity, isClosed ? prefix.length : Infinity);
    if (most < least) {
      throw new SchemaError(path, 'no length is allowed for the list');
    }
    const place = isOld ? 'items' : 'prefixItems';
    const heads = (prefix as unknown[])
      .slice(0, most)
      .map((item, index) => this.#visit(item, `${path}/${place}/${index}`, depth + 1));
    const tail = most > heads.length ? this.#visit(further ?? true, `${path}/items`, depth + 1) : undefined;
    return attempt(path, () => this.#list(heads, tail, least, most, path));
  }

  /** `[`, the heads one after the other, then the tail again and again, from `least` to `most` items in all, `]`. */
  #list(heads: readonly string[], tail: string | undefined, least: number, most: number, path: string): string {
    const comma = `${ws} "," ${ws}`;
    let items = '';
    if (tail !== undefined) {
      const first = heads.length === 0;
      const fewest = Math.max(0, least - heads.length);
      const furthest = most - heads.length;
      const atom = this.#rule('item', `${comma} ${tail}`, path);
      if (first) {
        const more = repeated(atom, Math.max(0, fewest - 1), furthest - 1);
        items = fewest === 0 ? `(${tail} ${more})?` : `${tail} ${more}`;
      } else {
        items = repeated(atom, fewest, furthest);
      }
    }
    for (let index = heads.length - 1; index >= 0; index--) {
      const item = `${index > 0 ? `${comma} ` : ''}${heads[index] ?? ''} ${items}`;
      items = index < least ? item : `(${item})?`;
    }
    return this.#rule('array', `"[" ${ws} ${items} ${ws} "]"`, path);
  }

  #object(schema: Schema, path: string, depth: number): string {
    const properties = (schema['properties'] ?? {}) as Schema;
    const required = (schema['required'] ?? []) as unknown;
    if (typeof properties !== 'object' || Array.isArray(properties)) {
      throw new SchemaError(path, '"properties" must be an object');
    }
    if (!Array.isArray(required) || required.some((name) => typeof name !== 'string')) {
      throw new SchemaError(path, '"required" must be a list of names');
    }
    const names = [...new Set([...Object.keys(properties), ...(required as string[])])];
    const further = schema['additionalProperties'] ?? schema['unevaluatedProperties'];
    const members: Member[] = [];
    for (const name of names) {
      const isRequired = (required as string[]).includes(name);
      const property = Object.hasOwn(properties, name) ? properties[name] : (further ?? true);
      if (property === false && !isRequired) {
        continue;
      }
      const value = this.#visit(property, `${path}/properties/${name}`, depth + 1);
      const text = `${terminal(JSON.stringify(name))} ${ws} ":" ${ws} ${value}`;
      members.push({ rule: this.#rule('member', text, path), isRequired });
    }
    const isOpen = further === undefined ? names.length === 0 : further !== false;
    const furtherMember = isOpen ? this.#furtherMember(schema, names, further ?? true, path, depth) : undefined;
    const { least, most } = this.#propertyCount(schema, members, furtherMember !== undefined, path);
    return attempt(path, () => this.#memberList(members, furtherMember, least, most, path));
  }

  /** A member of a name that is none of `names`. */
  #furtherMember(schema: Schema, names: readonly string[], valueSchema: unknown, path: string, depth: number): string {
    const value = this.#visit(valueSchema, `${path}/additionalProperties`, depth + 1);
    let key = 'string';
    if (schema['propertyNames'] !== undefined) {
      if (names.length > 0) {
        throw new SchemaError(path, '"propertyNames" beside "properties" is not supported');
      }
      key = this.#visit({ type: 'string', ...this.#asObject(schema['propertyNames'], path) }, `${path}/propertyNames`, depth + 1);
    } else if (names.length > 0) {
      key = this.#rule('key', `"\\"" ${otherText(names.map((name) => [...name]))}`, path);
    }
    return this.#rule('member', `${key} ${ws} ":" ${ws} ${value}`, path);
  }

  /** Bounds of the number of members; they can be followed where all members are alike. */
  #propertyCount(
    schema: Schema,
    members: readonly Member[],
    isOpen: boolean,
    path: string,
  ): { readonly least: number; readonly most: number } {
    const least = count(schema, 'minProperties', path) ?? 0;
    const most = count(schema, 'maxProperties', path) ?? Infinity;
    const numRequired = members.filter(({ isRequired }) => isRequired).length;
    if (members.length === 0) {
      return { least, most };
    }
    if (least > numRequired || most < (isOpen ? Infinity : members.length)) {
      throw new SchemaError(path, '"minProperties" and "maxProperties" beside "properties" are not supported');
    }
    return { least: 0, most: Infinity };
  }

  /**
   * Members in their order, each once, the further one behind them as often as it likes. One rule for each place and for whether
   * something stands before it, so the grammar grows with the number of members and not with that of their combinations.
   */
  #memberList(members: readonly Member[], further: string | undefined, least: number, most: number, path: string): string {
    const comma = `${ws} "," ${ws}`;
    const more = further === undefined ? '""' : this.#rule('more', `${comma} ${further}`, path);
    if (members.length === 0) {
      if (further === undefined || most === 0) {
        return this.#rule('object', `"{" ${ws} "}"`, path);
      }
      const list = `${further} ${repeated(more, Math.max(0, least - 1), most - 1)}`;
      return this.#rule('object', `"{" ${ws} ${least === 0 ? `(${list})?` : list} ${ws} "}"`, path);
    }
    let behind = further === undefined ? '""' : `${more}*`;
    let first = further === undefined ? '""' : `(${further} ${more}*)?`;
    for (const { rule, isRequired } of members.toReversed()) {
      const asFirst = `${rule} ${behind}`;
      const asNext = `${comma} ${rule} ${behind}`;
      first = this.#rule('first', isRequired ? asFirst : `${asFirst} | ${first}`, path);
      behind = this.#rule('next', isRequired ? asNext : `${asNext} | ${behind}`, path);
    }
    return this.#rule('object', `"{" ${ws} ${first} ${ws} "}"`, path);
  }
}

interface Member {
  readonly rule: string;
  readonly isRequired: boolean;
}

/** Gives the errors of the parts a path. */
function attempt<T>(path: string, task: () => T): T {
  try {
    return task();
  } catch (error) {
    if (error instanceof SchemaError) {
      throw error;
    }
    throw new SchemaError(path, error instanceof Error ? error.message : String(error));
  }
}
