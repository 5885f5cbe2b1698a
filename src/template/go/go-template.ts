import { errorMessage, TarsError } from '../../errors/index.js';
import { executeGoTemplate } from './executor.js';
import { createFunctions, shortCircuitNames, type GoFunction } from './functions.js';
import { parseGoTemplate } from './parser.js';
import type { Expression, Node, Pipeline, SyntaxTree } from './syntax-tree.js';
import { GoTemplateError } from './template-error.js';
import type { GoValue } from './values.js';

/** A parsed Go text/template with the functions that Ollama adds. */
export class GoTemplate {
  readonly source: string;
  readonly #tree: SyntaxTree;
  readonly #functions: ReadonlyMap<string, GoFunction>;

  private constructor(source: string, tree: SyntaxTree, functions: ReadonlyMap<string, GoFunction>) {
    this.source = source;
    this.#tree = tree;
    this.#functions = functions;
  }

  /** `now` is the clock of `currentDate`. Throws TarsError TEMPLATE_FAILED with the text of Go's parser. */
  static parse(source: string, now: () => Date = () => new Date()): GoTemplate {
    const functions = createFunctions(now);
    const tree = rethrown(() => parseGoTemplate(source, new Set([...functions.keys(), ...shortCircuitNames])));
    return new GoTemplate(source, tree, functions);
  }

  /** Throws TarsError TEMPLATE_FAILED with the text of Go's executor. */
  execute(data: GoValue): string {
    return rethrown(() => executeGoTemplate(this.source, this.#tree, this.#functions, data));
  }

  /** The same template with other nodes at its top level. */
  withRoot(root: readonly Node[]): GoTemplate {
    return new GoTemplate(this.source, { ...this.#tree, root }, this.#functions);
  }

  get root(): readonly Node[] {
    return this.#tree.root;
  }

  /** Every field and variable that the template names, in lower case. */
  identifiers(): ReadonlySet<string> {
    const names = new Set<string>();
    for (const nodes of [this.#tree.root, ...this.#tree.templates.values()]) {
      visitExpressions(nodes, (expression) => namesOf(expression).forEach((name) => names.add(name.toLowerCase())));
    }
    return names;
  }
}

/** Names in an expression: `.A.B` and `$x.A` give A, B and x. */
export function namesOf(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'field':
    case 'chain':
      return expression.names;
    case 'variable':
      return [expression.name.slice(1), ...expression.names].filter((name) => name !== '');
    default:
      return [];
  }
}

export function pipelinesOf(node: Node): readonly Pipeline[] {
  return 'pipeline' in node && node.pipeline !== undefined ? [node.pipeline] : [];
}

/** Calls `visit` for every expression of a pipeline, those inside parentheses too. */
export function visitPipeline(pipeline: Pipeline, visit: (expression: Expression) => void): void {
  for (const expression of pipeline.commands.flat()) {
    visit(expression);
    const inner = expression.kind === 'chain' ? expression.target : expression;
    if (inner.kind === 'pipeline') {
      visitPipeline(inner.pipeline, visit);
    } else if (inner !== expression) {
      visit(inner);
    }
  }
}

function visitExpressions(nodes: readonly Node[], visit: (expression: Expression) => void): void {
  for (const node of nodes) {
    pipelinesOf(node).forEach((pipeline) => visitPipeline(pipeline, visit));
    if ('body' in node) {
      visitExpressions(node.body, visit);
      visitExpressions(node.otherwise ?? [], visit);
    }
  }
}

function rethrown<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof GoTemplateError) {
      throw new TarsError('TEMPLATE_FAILED', { reason: errorMessage(error) }, { cause: error });
    }
    throw error;
  }
}
