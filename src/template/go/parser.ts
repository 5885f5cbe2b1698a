import { tokenize, type Token, type TokenKind } from './lexer.js';
import { parseNumber, unquote } from './literals.js';
import type { Branch, Command, Expression, Node, Pipeline, SyntaxTree } from './syntax-tree.js';
import { parseError, type GoTemplateError } from './template-error.js';

/** Blocks inside blocks; deeper nesting would exhaust the stack of the parser and of the executor. */
const maxDepth = 200;

const keywords = new Set(['if', 'else', 'end', 'range', 'with', 'define', 'block', 'template', 'break', 'continue']);

/** Parses a Go text/template. Throws GoTemplateError in Go's words. */
export function parseGoTemplate(source: string, functionNames: ReadonlySet<string>): SyntaxTree {
  return new Parser(source, functionNames).parse();
}

interface List {
  readonly nodes: Node[];
  readonly ending: 'end' | 'else' | 'eof';
}

class Parser {
  readonly #source: string;
  readonly #functionNames: ReadonlySet<string>;
  readonly #tokens: readonly Token[];
  readonly #templates = new Map<string, readonly Node[]>();
  #place = 0;
  #depth = 0;
  #rangeDepth = 0;
  /** Variables in scope; `$` is the data itself. */
  #variables: string[] = ['$'];

  constructor(source: string, functionNames: ReadonlySet<string>) {
    this.#source = source;
    this.#functionNames = functionNames;
    this.#tokens = tokenize(source);
  }

  parse(): SyntaxTree {
    const list = this.#parseList();
    if (list.ending !== 'eof') {
      throw this.#error(`unexpected {{${list.ending}}}`);
    }
    return { root: list.nodes, templates: this.#templates };
  }

  /** Nodes up to `{{end}}` (consumed), `{{else` (consumed, its rest not) or the end of the source. */
  #parseList(): List {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#next();
      if (token.kind === 'end') {
        return { nodes, ending: 'eof' };
      }
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text, position: token.position });
        continue;
      }
      this.#skipSpace();
      const word = this.#peek();
      if (word.kind === 'identifier' && keywords.has(word.text)) {
        this.#place++;
        if (word.text === 'end') {
          this.#expectClose('end');
          return { nodes, ending: 'end' };
        }
        if (word.text === 'else') {
          return { nodes, ending: 'else' };
        }
        nodes.push(...this.#parseKeyword(word));
      } else {
        nodes.push({ kind: 'action', pipeline: this.#parsePipeline('command', 'close'), position: word.position });
      }
    }
  }

  #parseKeyword(word: Token): Node[] {
    switch (word.text) {
      case 'if':
      case 'with':
      case 'range':
        return [this.#parseBranch(word.text, word.position)];
      case 'define':
        this.#parseDefine();
        return [];
      case 'block':
        return [this.#parseBlock(word.position)];
      case 'template':
        return [this.#parseTemplateCall()];
      default:
        return [this.#parseJump(word.text === 'break' ? 'break' : 'continue', word.position)];
    }
  }

  #parseBranch(kind: Branch['kind'], position: number): Branch {
    this.#enter();
    const numVariables = this.#variables.length;
    const pipeline = this.#parsePipeline(kind, 'close');
    this.#rangeDepth += kind === 'range' ? 1 : 0;
    const body = this.#parseList();
    this.#rangeDepth -= kind === 'range' ? 1 : 0;
    const otherwise = body.ending === 'else' ? this.#parseElse(kind) : undefined;
    if (body.ending === 'eof') {
      throw this.#error('unexpected EOF');
    }
    this.#variables.length = numVariables;
    this.#depth--;
    return { kind, pipeline, body: body.nodes, otherwise, position };
  }

  /** After `{{else`: `}}…{{end}}`, or `if`/`with` of a chain whose one `{{end}}` ends all of it. */
  #parseElse(kind: Branch['kind']): readonly Node[] {
    this.#skipSpace();
    const word = this.#peek();
    if (word.kind === 'identifier' && word.text === kind && kind !== 'range') {
      this.#place++;
      return [this.#parseBranch(kind, word.position)];
    }
    this.#expectClose('else');
    const list = this.#parseList();
    if (list.ending === 'else') {
      throw this.#error('expected end; found {{else}}');
    }
    if (list.ending === 'eof') {
      throw this.#error('unexpected EOF');
    }
    return list.nodes;
  }

  #parseDefine(): void {
    const name = this.#parseName('define clause');
    this.#expectClose('define clause');
    this.#templates.set(name, this.#parseTemplateBody());
  }

  #parseBlock(position: number): Node {
    const name = this.#parseName('block clause');
    const pipeline = this.#parsePipeline('block clause', 'close');
    this.#templates.set(name, this.#parseTemplateBody());
    return { kind: 'template', name, pipeline, position };
  }

  /** A template of its own: it sees no variables of the one around it. */
  #parseTemplateBody(): readonly Node[] {
    this.#enter();
    const outer = this.#variables;
    const outerRangeDepth = this.#rangeDepth;
    this.#variables = ['$'];
    this.#rangeDepth = 0;
    const list = this.#parseList();
    if (list.ending !== 'end') {
      throw this.#error(list.ending === 'eof' ? 'unexpected EOF' : 'unexpected {{else}} in define clause');
    }
    this.#variables = outer;
    this.#rangeDepth = outerRangeDepth;
    this.#depth--;
    return list.nodes;
  }

  #parseTemplateCall(): Node {
    this.#skipSpace();
    const position = this.#peek().position;
    const name = this.#parseName('template clause');
    this.#skipSpace();
    if (this.#peek().kind === 'close') {
      this.#place++;
      return { kind: 'template', name, pipeline: undefined, position };
    }
    return { kind: 'template', name, pipeline: this.#parsePipeline('template clause', 'close'), position };
  }

  #parseJump(kind: 'break' | 'continue', position: number): Node {
    this.#skipSpace();
    if (this.#peek().kind !== 'close') {
      throw this.#unexpected(this.#peek(), `{{${kind}}}`);
    }
    this.#place++;
    if (this.#rangeDepth === 0) {
      throw this.#error(`{{${kind}}} outside {{range}}`);
    }
    return { kind, position };
  }

  #parseName(context: string): string {
    this.#skipSpace();
    const token = this.#next();
    const name = token.kind === 'string' ? unquote(token.text) : undefined;
    if (name === undefined) {
      throw this.#unexpected(token, context);
    }
    return name;
  }

  /** A pipeline and the token that ends it: the closing delimiter or a right parenthesis. */
  #parsePipeline(context: string, ending: 'close' | ')'): Pipeline {
    this.#skipSpace();
    const position = this.#peek().position;
    const declaration = this.#parseDeclaration(context);
    const commands: Command[] = [];
    for (;;) {
      this.#skipSpace();
      const token = this.#peek();
      if (token.kind === 'close' || token.text === ')') {
        this.#place++;
        if ((ending === 'close') !== (token.kind === 'close')) {
          throw this.#unexpected(token, context);
        }
        this.#checkPipeline(commands, context, position);
        this.#variables.push(...(declaration.isAssignment ? [] : declaration.variables));
        return { ...declaration, commands, position };
      }
      commands.push(this.#parseCommand(context));
    }
  }

  #checkPipeline(commands: readonly Command[], context: string, position: number): void {
    if (commands.length === 0) {
      throw this.#error(`missing value for ${context}`);
    }
    commands.slice(1).forEach(([first], i) => {
      if (first !== undefined && ['boolean', 'dot', 'nil', 'integer', 'float', 'string'].includes(first.kind)) {
        throw parseError(this.#source, position, `non executable command in pipeline stage ${i + 2}`);
      }
    });
  }

  #parseDeclaration(context: string): { variables: string[]; isAssignment: boolean } {
    const start = this.#place;
    const variables: string[] = [];
    for (;;) {
      this.#skipSpace();
      const variable = this.#next();
      this.#skipSpace();
      const operator = this.#peek();
      const isDeclaration = operator.text === ':=' || operator.text === '=' || (operator.text === ',' && context === 'range');
      if (variable.kind !== 'variable' || !isDeclaration || operator.kind !== 'operator') {
        if (variables.length > 0) {
          throw this.#error('range can only initialize variables');
        }
        this.#place = start;
        return { variables: [], isAssignment: false };
      }
      this.#place++;
      variables.push(variable.text);
      if (operator.text !== ',') {
        return this.#endDeclaration(variables, operator.text === '=', context);
      }
    }
  }

  #endDeclaration(variables: string[], isAssignment: boolean, context: string): { variables: string[]; isAssignment: boolean } {
    if (variables.length > 2) {
      throw this.#error(`too many declarations in ${context}`);
    }
    for (const name of isAssignment ? variables : []) {
      this.#checkVariable(name);
    }
    return { variables, isAssignment };
  }

  /** Operands up to `|` (consumed) or the end of the pipeline (not consumed). */
  #parseCommand(context: string): Command {
    const operands: Expression[] = [];
    for (;;) {
      this.#skipSpace();
      const token = this.#peek();
      if (token.kind === 'close' || token.text === ')') {
        break;
      }
      if (token.kind === 'operator' && token.text === '|') {
        this.#place++;
        if (operands.length === 0) {
          throw this.#unexpected(token, context);
        }
        break;
      }
      operands.push(this.#parseOperand(context));
      const after = this.#peek();
      if (after.kind !== 'space' && after.kind !== 'close' && after.text !== ')' && after.text !== '|') {
        throw this.#unexpected(after, 'operand');
      }
    }
    return operands;
  }

  #parseOperand(context: string): Expression {
    const target = this.#parseTerm(context);
    // Go's position of a chain is that of its second part.
    const { position } = this.#peek();
    const names = this.#parseNames();
    if (names.length === 0) {
      return target;
    }
    switch (target.kind) {
      case 'field':
        return { ...target, names: [...target.names, ...names], position };
      case 'variable':
        return { ...target, names, position };
      case 'boolean':
      case 'string':
      case 'integer':
      case 'float':
      case 'nil':
      case 'dot':
        throw this.#error(`unexpected . after term ${JSON.stringify(this.#tokenText(target.position))}`);
      case 'function':
      case 'pipeline':
      case 'chain':
        return { kind: 'chain', target, names, position };
    }
  }

  #parseTerm(context: string): Expression {
    const token = this.#next();
    const { position, text } = token;
    switch (token.kind) {
      case 'identifier':
        return this.#parseWord(text, position);
      case 'dot':
        return { kind: 'dot', position };
      case 'field':
        return { kind: 'field', names: [text.slice(1)], position };
      case 'variable':
        this.#checkVariable(text);
        return { kind: 'variable', name: text, names: [], position };
      case 'number': {
        const number = parseNumber(text);
        if (number === undefined) {
          throw this.#error(`bad number syntax: ${JSON.stringify(text)}`);
        }
        return { kind: number.isFloat ? 'float' : 'integer', value: number.value, position };
      }
      case 'character':
        return { kind: 'integer', value: unquote(text)?.codePointAt(0) ?? 0, position };
      case 'string': {
        const value = unquote(text);
        if (value === undefined) {
          throw this.#error('invalid syntax');
        }
        return { kind: 'string', value, position };
      }
      case 'operator':
        if (text === '(') {
          this.#enter();
          const pipeline = this.#parsePipeline('parenthesized pipeline', ')');
          this.#depth--;
          return { kind: 'pipeline', pipeline, position };
        }
        throw this.#unexpected(token, context);
      case 'text':
      case 'open':
      case 'close':
      case 'space':
      case 'end':
        throw this.#unexpected(token, 'operand');
    }
  }

  #parseWord(text: string, position: number): Expression {
    if (text === 'true' || text === 'false') {
      return { kind: 'boolean', value: text === 'true', position };
    }
    if (text === 'nil') {
      return { kind: 'nil', position };
    }
    if (!this.#functionNames.has(text)) {
      throw parseError(this.#source, position, `function "${text}" not defined`);
    }
    return { kind: 'function', name: text, position };
  }

  #parseNames(): string[] {
    const names: string[] = [];
    while (this.#peek().kind === 'field') {
      names.push(this.#next().text.slice(1));
    }
    return names;
  }

  #checkVariable(name: string): void {
    if (!this.#variables.includes(name)) {
      throw this.#error(`undefined variable "${name}"`);
    }
  }

  #enter(): void {
    if (++this.#depth > maxDepth) {
      throw this.#error(`more than ${maxDepth} blocks inside each other`);
    }
  }

  #expectClose(context: string): void {
    this.#skipSpace();
    const token = this.#next();
    if (token.kind !== 'close') {
      throw this.#unexpected(token, context);
    }
  }

  #skipSpace(): void {
    while (this.#peek().kind === 'space') {
      this.#place++;
    }
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#place, this.#tokens.length - 1)] as Token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#place++;
    return token;
  }

  #tokenText(position: number): string {
    return this.#tokens.find((token) => token.position === position)?.text ?? '';
  }

  #error(message: string): GoTemplateError {
    const last = this.#tokens[Math.min(Math.max(this.#place - 1, 0), this.#tokens.length - 1)] as Token;
    return parseError(this.#source, last.position, message);
  }

  #unexpected(token: Token, context: string): GoTemplateError {
    const names: Partial<Record<TokenKind, string>> = { end: 'EOF' };
    const isKeyword = token.kind === 'identifier' && keywords.has(token.text);
    const shown = names[token.kind] ?? (isKeyword ? `<${token.text}>` : JSON.stringify(token.text.slice(0, 10)));
    return parseError(this.#source, token.position, `unexpected ${shown} in ${context}`);
  }
}
