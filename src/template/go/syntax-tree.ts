// The tree of a parsed Go template.

/** Offset in the source, for error messages. */
export interface Positioned {
  readonly position: number;
}

export type Expression = Positioned &
  (
    | { readonly kind: 'dot' }
    | { readonly kind: 'nil' }
    | { readonly kind: 'boolean'; readonly value: boolean }
    | { readonly kind: 'integer' | 'float'; readonly value: number }
    | { readonly kind: 'string'; readonly value: string }
    /** `.A.B` */
    | { readonly kind: 'field'; readonly names: readonly string[] }
    /** `$x.A.B` */
    | { readonly kind: 'variable'; readonly name: string; readonly names: readonly string[] }
    | { readonly kind: 'function'; readonly name: string }
    | { readonly kind: 'pipeline'; readonly pipeline: Pipeline }
    /** `(…).A.B` */
    | { readonly kind: 'chain'; readonly target: Expression; readonly names: readonly string[] }
  );

/** A function or value and its arguments. */
export type Command = readonly Expression[];

export interface Pipeline extends Positioned {
  /** Names with their dollar sign; two only in `range`. */
  readonly variables: readonly string[];
  readonly isAssignment: boolean;
  readonly commands: readonly Command[];
}

export interface Branch extends Positioned {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipeline: Pipeline;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[] | undefined;
}

export type Node =
  | Branch
  | (Positioned & { readonly kind: 'text'; readonly text: string })
  | (Positioned & { readonly kind: 'action'; readonly pipeline: Pipeline })
  | (Positioned & { readonly kind: 'template'; readonly name: string; readonly pipeline: Pipeline | undefined })
  | (Positioned & { readonly kind: 'break' | 'continue' });

export interface SyntaxTree {
  readonly root: readonly Node[];
  /** Bodies of `define` and `block`. */
  readonly templates: ReadonlyMap<string, readonly Node[]>;
}
