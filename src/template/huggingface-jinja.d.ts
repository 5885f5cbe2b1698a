// The part of the library that is used. Its own declarations import without file extensions, which Node's module
// resolution does not find, so that every export would be missing.
declare module '@huggingface/jinja' {
  export type Program = { readonly type: 'Program' };

  export class Environment {
    /** Declares a variable; functions get and give plain values. */
    set(name: string, value: unknown): unknown;
  }

  export class Interpreter {
    constructor(environment: Environment);
    run(program: Program): { readonly value: string };
  }

  export function tokenize(
    source: string,
    options: { readonly lstrip_blocks: boolean; readonly trim_blocks: boolean },
  ): unknown[];
  export function parse(tokens: unknown[]): Program;
}
