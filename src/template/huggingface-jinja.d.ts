// The part of the library that is used. Its own declarations import without file extensions, which Node's module
// resolution does not find, so that every export would be missing.
declare module '@huggingface/jinja' {
  export interface Statement {
    readonly type: string;
  }

  export interface Program extends Statement {
    readonly body: Statement[];
  }

  export interface RuntimeValue {
    readonly type: string;
    value: unknown;
    toString(): string;
  }

  export interface StringValue extends RuntimeValue {
    value: string;
  }

  export class Environment {
    /** Declares a variable; functions get and give plain values. */
    set(name: string, value: unknown): unknown;
  }

  export class Interpreter {
    constructor(environment: Environment);
    run(program: Program): StringValue;
    protected evaluate(statement: Statement, environment: Environment): RuntimeValue;
    protected evaluateBlock(statements: Statement[], environment: Environment): StringValue;
    protected evaluateFor(statement: Statement, environment: Environment): StringValue;
  }

  export function tokenize(
    source: string,
    options: { readonly lstrip_blocks: boolean; readonly trim_blocks: boolean },
  ): unknown[];
  export function parse(tokens: unknown[]): Program;
}
