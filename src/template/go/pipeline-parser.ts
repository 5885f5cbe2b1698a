import { parseNumber, unquote } from './literals.js';
import type { Command, Expression, Pipeline } from './syntax-tree.js';
import { parseError } from './template-error.js';
import type { TokenCursor } from './token-cursor.js';

/** Parses what stands inside the braces: declarations, commands, operands. Keeps the variables in scope. */
export class PipelineParser {
  /** Names in scope; `$` is the data itself. */
  variables: string[] = ['$'];
  readonly #cursor: TokenCursor;
  readonly #functionNames: ReadonlySet<string>;

  constructor(cursor: TokenCursor, functionNames: ReadonlySet<string>) {
    this.#cursor = cursor;
    this.#functionNames = functionNames;
  }

  /** A pipeline and the token that ends it: the closing delimiter or a right parenthesis. */
  parse(context: string, ending: 'close' | ')'): Pipeline {
    this.#cursor.skipSpace();
    const position = this.#cursor.peek().position;
    const declaration = this.#parseDeclaration(context);
    const commands: Command[] = [];
    for (;;) {
      this.#cursor.skipSpace();
      const token = this.#cursor.peek();
      if (token.kind === 'close' || token.text === ')') {
        this.#cursor.next();
        if ((ending === 'close') !== (token.kind === 'close')) {
          throw this.#cursor.unexpected(token, context);
        }
        this.#checkPipeline(commands, context, position);
        this.variables.push(...(declaration.isAssignment ? [] : declaration.variables));
        return { ...declaration, commands, position };
      }
      commands.push(this.#parseCommand(context));
    }
  }

  #checkPipeline(commands: readonly Command[], context: string, position: number): void {
    if (commands.length === 0) {
      throw this.#cursor.error(`missing value for ${context}`);
    }
    commands.slice(1).forEach(([first], i) => {
      if (first !== undefined && ['boolean', 'dot', 'nil', 'integer', 'float', 'string'].includes(first.kind)) {
        throw parseError(this.#cursor.source, position, `non executable command in pipeline stage ${i + 2}`);
      }
    });
  }

  #parseDeclaration(context: string): { variables: string[]; isAssignment: boolean } {
    const start = this.#cursor.place;
    const variables: string[] = [];
    for (;;) {
      this.#cursor.skipSpace();
      const variable = this.#cursor.next();
      this.#cursor.skipSpace();
      const operator = this.#cursor.peek();
      const isDeclaration = operator.text === ':=' || operator.text === '=' || (operator.text === ',' && context === 'range');
      if (variable.kind !== 'variable' || !isDeclaration || operator.kind !== 'operator') {
        if (variables.length > 0) {
          throw this.#cursor.error('range can only initialize variables');
        }
        this.#cursor.rewind(start);
        return { variables: [], isAssignment: false };
      }
      this.#cursor.next();
      variables.push(variable.text);
      if (operator.text !== ',') {
        return this.#endDeclaration(variables, operator.text === '=', context);
      }
    }
  }

  #endDeclaration(variables: string[], isAssignment: boolean, context: string): { variables: string[]; isAssignment: boolean } {
    if (variables.length > 2) {
      throw this.#cursor.error(`too many declarations in ${context}`);
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
      this.#cursor.skipSpace();
      const token = this.#cursor.peek();
      if (token.kind === 'close' || token.text === ')') {
        break;
      }
      if (token.kind === 'operator' && token.text === '|') {
        this.#cursor.next();
        if (operands.length === 0) {
          throw this.#cursor.unexpected(token, context);
        }
        break;
      }
      operands.push(this.#parseOperand(context));
      const after = this.#cursor.peek();
      if (after.kind !== 'space' && after.kind !== 'close' && after.text !== ')' && after.text !== '|') {
        throw this.#cursor.unexpected(after, 'operand');
      }
    }
    return operands;
  }

  #parseOperand(context: string): Expression {
    const target = this.#parseTerm(context);
    // Go's position of a chain is that of its second part.
    const { position } = this.#cursor.peek();
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
        throw this.#cursor.error(`unexpected . after term ${JSON.stringify(this.#cursor.tokenText(target.position))}`);
      case 'function':
      case 'pipeline':
      case 'chain':
        return { kind: 'chain', target, names, position };
    }
  }

  #parseTerm(context: string): Expression {
    const token = this.#cursor.next();
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
          throw this.#cursor.error(`bad number syntax: ${JSON.stringify(text)}`);
        }
        return { kind: number.isFloat ? 'float' : 'integer', value: number.value, position };
      }
      case 'character':
        return { kind: 'integer', value: unquote(text)?.codePointAt(0) ?? 0, position };
      case 'string': {
        const value = unquote(text);
        if (value === undefined) {
          throw this.#cursor.error('invalid syntax');
        }
        return { kind: 'string', value, position };
      }
      case 'operator':
        if (text === '(') {
          this.#cursor.enter();
          const pipeline = this.parse('parenthesized pipeline', ')');
          this.#cursor.leave();
          return { kind: 'pipeline', pipeline, position };
        }
        throw this.#cursor.unexpected(token, context);
      case 'text':
      case 'open':
      case 'close':
      case 'space':
      case 'end':
        throw this.#cursor.unexpected(token, 'operand');
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
      throw parseError(this.#cursor.source, position, `function "${text}" not defined`);
    }
    return { kind: 'function', name: text, position };
  }

  #parseNames(): string[] {
    const names: string[] = [];
    while (this.#cursor.peek().kind === 'field') {
      names.push(this.#cursor.next().text.slice(1));
    }
    return names;
  }

  #checkVariable(name: string): void {
    if (!this.variables.includes(name)) {
      throw this.#cursor.error(`undefined variable "${name}"`);
    }
  }
}
