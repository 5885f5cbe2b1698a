import { show } from './format.js';
import { shortCircuitNames, type GoFunction } from './functions.js';
import type { Command, Expression, Node, Pipeline, SyntaxTree } from './syntax-tree.js';
import { executionError, type GoTemplateError } from './template-error.js';
import { GoFloat, GoList, GoMap, GoStruct, isTrue, typeName, type GoValue } from './values.js';

/** Templates that call each other; Go's own limit is 100 000 frames, which is more stack than JavaScript has. */
const maxCallDepth = 100;
/** Nodes that one execution may visit: a template of the largest honest prompt visits some hundred thousand. */
const maxSteps = 20_000_000;
/** Characters of output: far above any context length, far below the memory. */
const maxOutput = 64 * 1024 * 1024;

/** Runs a parsed template over data. Throws GoTemplateError in Go's words. */
export function executeGoTemplate(
  source: string,
  tree: SyntaxTree,
  functions: ReadonlyMap<string, GoFunction>,
  data: GoValue,
): string {
  return new Executor(source, tree, functions).run(data);
}

type Flow = 'next' | 'break' | 'continue';

interface Variable {
  readonly name: string;
  value: GoValue;
}

class Executor {
  readonly #source: string;
  readonly #tree: SyntaxTree;
  readonly #functions: ReadonlyMap<string, GoFunction>;
  #variables: Variable[] = [];
  #output: string[] = [];
  #outputLength = 0;
  #steps = 0;
  #callDepth = 0;

  constructor(source: string, tree: SyntaxTree, functions: ReadonlyMap<string, GoFunction>) {
    this.#source = source;
    this.#tree = tree;
    this.#functions = functions;
  }

  run(data: GoValue): string {
    this.#variables = [{ name: '$', value: data }];
    this.#walkList(this.#tree.root, data);
    return this.#output.join('');
  }

  #walkList(nodes: readonly Node[], dot: GoValue): Flow {
    const numVariables = this.#variables.length;
    let flow: Flow = 'next';
    for (const node of nodes) {
      flow = this.#walk(node, dot);
      if (flow !== 'next') {
        break;
      }
    }
    this.#variables.length = numVariables;
    return flow;
  }

  #walk(node: Node, dot: GoValue): Flow {
    if (++this.#steps > maxSteps) {
      throw this.#error(node.position, '', 'the template takes too long');
    }
    switch (node.kind) {
      case 'text':
        this.#write(node.text, node.position);
        return 'next';
      case 'action': {
        const value = this.#evaluatePipeline(node.pipeline, dot);
        if (node.pipeline.variables.length === 0) {
          this.#write(value === null ? '<no value>' : show(value), node.position);
        }
        return 'next';
      }
      case 'if':
      case 'with': {
        const numVariables = this.#variables.length;
        const value = this.#evaluatePipeline(node.pipeline, dot);
        const body = isTrue(value) ? node.body : (node.otherwise ?? []);
        const flow = this.#walkList(body, node.kind === 'with' && isTrue(value) ? value : dot);
        this.#variables.length = numVariables;
        return flow;
      }
      case 'range':
        return this.#walkRange(node.pipeline, node.body, node.otherwise ?? [], dot);
      case 'template':
        this.#call(node.name, node.pipeline === undefined ? null : this.#evaluatePipeline(node.pipeline, dot), node.position);
        return 'next';
      case 'break':
      case 'continue':
        return node.kind;
    }
  }

  #walkRange(pipeline: Pipeline, body: readonly Node[], otherwise: readonly Node[], dot: GoValue): Flow {
    const numVariables = this.#variables.length;
    const value = this.#evaluate(pipeline, dot);
    const entries = this.#entriesOf(value, pipeline);
    let isEmpty = true;
    for (const [key, item] of entries) {
      isEmpty = false;
      this.#setRangeVariables(pipeline, key, item);
      const flow = this.#walkList(body, item);
      this.#variables.length = numVariables;
      if (flow === 'break') {
        break;
      }
    }
    // The else branch may itself break a loop around this one.
    return isEmpty ? this.#walkList(otherwise, dot) : 'next';
  }

  #entriesOf(value: GoValue, pipeline: Pipeline): Iterable<readonly [GoValue, GoValue]> {
    if (value === null) {
      return [];
    }
    if (value instanceof GoList) {
      return value.items.entries();
    }
    if (value instanceof GoMap) {
      return value.sortedKeys().map((key) => [key, value.entries.get(key) ?? null] as const);
    }
    if (typeof value === 'number') {
      return integers(value);
    }
    throw this.#error(pipeline.position, this.#textOf(pipeline), `range can't iterate over ${show(value)}`);
  }

  #setRangeVariables(pipeline: Pipeline, key: GoValue, item: GoValue): void {
    const values = pipeline.variables.length === 2 ? [key, item] : [item];
    pipeline.variables.forEach((name, i) => this.#setVariable(name, values[i] ?? null, pipeline.isAssignment));
  }

  #call(name: string, data: GoValue, position: number): void {
    const body = this.#tree.templates.get(name);
    if (body === undefined) {
      throw this.#error(position, `{{template ${JSON.stringify(name)}}}`, `template ${JSON.stringify(name)} not defined`);
    }
    if (++this.#callDepth > maxCallDepth) {
      throw this.#error(position, '', `exceeded maximum template depth (${maxCallDepth})`);
    }
    const outer = this.#variables;
    this.#variables = [{ name: '$', value: data }];
    this.#walkList(body, data);
    this.#variables = outer;
    this.#callDepth--;
  }

  #evaluatePipeline(pipeline: Pipeline, dot: GoValue): GoValue {
    const value = this.#evaluate(pipeline, dot);
    for (const name of pipeline.variables) {
      this.#setVariable(name, value, pipeline.isAssignment);
    }
    return value;
  }

  #evaluate(pipeline: Pipeline, dot: GoValue): GoValue {
    let value: GoValue | undefined;
    for (const command of pipeline.commands) {
      value = this.#evaluateCommand(command, dot, value);
    }
    return value ?? null;
  }

  /** `final` is the value of the command before, which becomes the last argument. */
  #evaluateCommand(command: Command, dot: GoValue, final: GoValue | undefined): GoValue {
    const first = command[0] as Expression;
    if (first.kind === 'function') {
      return this.#evaluateFunction(first.name, command, dot, final);
    }
    if (command.length > 1 || final !== undefined) {
      const text = this.#textAt(first);
      const isField = first.kind === 'field' || first.kind === 'chain' || (first.kind === 'variable' && first.names.length > 0);
      const name = isField ? (first.names.at(-1) ?? '') : text;
      const message = isField ? `${name} is not a method but has arguments` : `can't give argument to non-function ${text}`;
      throw this.#error(first.position, text, message);
    }
    if (first.kind === 'nil') {
      throw this.#error(first.position, 'nil', 'nil is not a command');
    }
    return this.#evaluateOperand(first, dot);
  }

  #evaluateFunction(name: string, command: Command, dot: GoValue, final: GoValue | undefined): GoValue {
    const operands = command.slice(1);
    if (shortCircuitNames.has(name)) {
      return this.#evaluateLogic(name === 'or', operands, dot, final, command);
    }
    const values = operands.map((operand) => this.#evaluateOperand(operand, dot));
    if (final !== undefined) {
      values.push(final);
    }
    try {
      return this.#functions.get(name)?.(values) ?? null;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const isCount = reason.startsWith('wrong number of args');
      const message = isCount ? reason.replace('args:', `args for ${name}:`) : `error calling ${name}: ${reason}`;
      throw this.#error((command[0] as Expression).position, isCount ? name : this.#commandText(command), message);
    }
  }

  #evaluateLogic(isOr: boolean, operands: Command, dot: GoValue, final: GoValue | undefined, command: Command): GoValue {
    let value: GoValue | undefined;
    for (const operand of operands) {
      value = this.#evaluateOperand(operand, dot);
      if (isTrue(value) === isOr) {
        return value;
      }
    }
    const last = final ?? value;
    if (last === undefined) {
      const name = isOr ? 'or' : 'and';
      throw this.#error((command[0] as Expression).position, name, `wrong number of args for ${name}: want at least 1 got 0`);
    }
    return last;
  }

  #evaluateOperand(expression: Expression, dot: GoValue): GoValue {
    switch (expression.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'boolean':
      case 'string':
      case 'integer':
        return expression.value;
      case 'float':
        return new GoFloat(expression.value);
      case 'field':
        return this.#fields(dot, expression.names, expression);
      case 'variable':
        return this.#fields(this.#variable(expression.name), expression.names, expression);
      case 'function':
        return this.#evaluateFunction(expression.name, [expression], dot, undefined);
      case 'pipeline':
        return this.#evaluatePipeline(expression.pipeline, dot);
      case 'chain':
        return this.#fields(this.#evaluateOperand(expression.target, dot), expression.names, expression);
    }
  }

  #fields(start: GoValue, names: readonly string[], expression: Expression): GoValue {
    let value = start;
    let staticType = typeName(start);
    for (const name of names) {
      const found = fieldOf(value, name);
      if (found === undefined) {
        const isNil = value === null;
        const reason = isNil
          ? `nil pointer evaluating interface {}.${name}`
          : `can't evaluate field ${name} in type ${staticType}`;
        throw this.#error(expression.position, this.#textAt(expression), reason);
      }
      // What comes out of a map is an interface to Go, whatever is in it.
      staticType = value instanceof GoMap ? 'interface {}' : typeName(found);
      value = found;
    }
    return value;
  }

  #variable(name: string): GoValue {
    return this.#variables.findLast((variable) => variable.name === name)?.value ?? null;
  }

  #setVariable(name: string, value: GoValue, isAssignment: boolean): void {
    const existing = isAssignment ? this.#variables.findLast((variable) => variable.name === name) : undefined;
    if (existing === undefined) {
      this.#variables.push({ name, value });
    } else {
      existing.value = value;
    }
  }

  #write(text: string, position: number): void {
    this.#outputLength += text.length;
    if (this.#outputLength > maxOutput) {
      throw this.#error(position, '', `the template writes more than ${maxOutput} characters`);
    }
    this.#output.push(text);
  }

  #error(position: number, text: string, message: string): GoTemplateError {
    return executionError(this.#source, position, text, message);
  }

  #textAt(expression: Expression): string {
    if (expression.kind === 'field') {
      return `.${expression.names.join('.')}`;
    }
    if (expression.kind === 'variable') {
      return [expression.name, ...expression.names].join('.');
    }
    return /[^\s|)}]*/.exec(this.#source.slice(expression.position, expression.position + 100))?.[0] ?? '';
  }

  #commandText(command: Command): string {
    return /[^|}\n]*/.exec(this.#source.slice((command[0] as Expression).position).slice(0, 200))?.[0].trim() ?? '';
  }

  #textOf(pipeline: Pipeline): string {
    const first = pipeline.commands[0]?.[0];
    return first === undefined ? '' : this.#textAt(first);
  }
}

/** A key that a map lacks is its zero value (`missingkey=zero`); undefined for a field that a struct lacks. */
function fieldOf(value: GoValue, name: string): GoValue | undefined {
  if (value instanceof GoMap) {
    return value.entries.get(name) ?? null;
  }
  return value instanceof GoStruct && Object.hasOwn(value.fields, name) ? value.fields[name]?.value : undefined;
}

function* integers(count: number): Iterable<readonly [number, number]> {
  for (let i = 0; i < count; i++) {
    yield [i, i];
  }
}
