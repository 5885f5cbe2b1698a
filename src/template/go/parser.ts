import { unquote } from './literals.js';
import { PipelineParser } from './pipeline-parser.js';
import type { Branch, Node, SyntaxTree } from './syntax-tree.js';
import { keywords, TokenCursor } from './token-cursor.js';
import type { Token } from './lexer.js';

/** Parses a Go text/template. Throws GoTemplateError in Go's words. */
export function parseGoTemplate(source: string, functionNames: ReadonlySet<string>): SyntaxTree {
  return new Parser(source, functionNames).parse();
}

interface List {
  readonly nodes: Node[];
  readonly ending: 'end' | 'else' | 'eof';
}

class Parser {
  readonly #cursor: TokenCursor;
  readonly #pipelines: PipelineParser;
  readonly #templates = new Map<string, readonly Node[]>();
  #rangeDepth = 0;

  constructor(source: string, functionNames: ReadonlySet<string>) {
    this.#cursor = new TokenCursor(source);
    this.#pipelines = new PipelineParser(this.#cursor, functionNames);
  }

  parse(): SyntaxTree {
    const list = this.#parseList();
    if (list.ending !== 'eof') {
      throw this.#cursor.error(`unexpected {{${list.ending}}}`);
    }
    return { root: list.nodes, templates: this.#templates };
  }

  /** Nodes up to `{{end}}` (consumed), `{{else` (consumed, its rest not) or the end of the source. */
  #parseList(): List {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#cursor.next();
      if (token.kind === 'end') {
        return { nodes, ending: 'eof' };
      }
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text, position: token.position });
        continue;
      }
      this.#cursor.skipSpace();
      const word = this.#cursor.peek();
      if (word.kind === 'identifier' && keywords.has(word.text)) {
        this.#cursor.next();
        if (word.text === 'end') {
          this.#cursor.expectClose('end');
          return { nodes, ending: 'end' };
        }
        if (word.text === 'else') {
          return { nodes, ending: 'else' };
        }
        nodes.push(...this.#parseKeyword(word));
      } else {
        nodes.push({ kind: 'action', pipeline: this.#pipelines.parse('command', 'close'), position: word.position });
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
    this.#cursor.enter();
    const numVariables = this.#pipelines.variables.length;
    const pipeline = this.#pipelines.parse(kind, 'close');
    this.#rangeDepth += kind === 'range' ? 1 : 0;
    const body = this.#parseList();
    this.#rangeDepth -= kind === 'range' ? 1 : 0;
    const otherwise = body.ending === 'else' ? this.#parseElse(kind) : undefined;
    if (body.ending === 'eof') {
      throw this.#cursor.error('unexpected EOF');
    }
    this.#pipelines.variables.length = numVariables;
    this.#cursor.leave();
    return { kind, pipeline, body: body.nodes, otherwise, position };
  }

  /** After `{{else`: `}}…{{end}}`, or `if`/`with` of a chain whose one `{{end}}` ends all of it. */
  #parseElse(kind: Branch['kind']): readonly Node[] {
    this.#cursor.skipSpace();
    const word = this.#cursor.peek();
    if (word.kind === 'identifier' && word.text === kind && kind !== 'range') {
      this.#cursor.next();
      return [this.#parseBranch(kind, word.position)];
    }
    this.#cursor.expectClose('else');
    const list = this.#parseList();
    if (list.ending === 'else') {
      throw this.#cursor.error('expected end; found {{else}}');
    }
    if (list.ending === 'eof') {
      throw this.#cursor.error('unexpected EOF');
    }
    return list.nodes;
  }

  #parseDefine(): void {
    const name = this.#parseName('define clause');
    this.#cursor.expectClose('define clause');
    this.#templates.set(name, this.#parseTemplateBody());
  }

  #parseBlock(position: number): Node {
    const name = this.#parseName('block clause');
    const pipeline = this.#pipelines.parse('block clause', 'close');
    this.#templates.set(name, this.#parseTemplateBody());
    return { kind: 'template', name, pipeline, position };
  }

  /** A template of its own: it sees no variables of the one around it. */
  #parseTemplateBody(): readonly Node[] {
    this.#cursor.enter();
    const outer = this.#pipelines.variables;
    const outerRangeDepth = this.#rangeDepth;
    this.#pipelines.variables = ['$'];
    this.#rangeDepth = 0;
    const list = this.#parseList();
    if (list.ending !== 'end') {
      throw this.#cursor.error(list.ending === 'eof' ? 'unexpected EOF' : 'unexpected {{else}} in define clause');
    }
    this.#pipelines.variables = outer;
    this.#rangeDepth = outerRangeDepth;
    this.#cursor.leave();
    return list.nodes;
  }

  #parseTemplateCall(): Node {
    this.#cursor.skipSpace();
    const position = this.#cursor.peek().position;
    const name = this.#parseName('template clause');
    this.#cursor.skipSpace();
    if (this.#cursor.peek().kind === 'close') {
      this.#cursor.next();
      return { kind: 'template', name, pipeline: undefined, position };
    }
    return { kind: 'template', name, pipeline: this.#pipelines.parse('template clause', 'close'), position };
  }

  #parseJump(kind: 'break' | 'continue', position: number): Node {
    this.#cursor.skipSpace();
    if (this.#cursor.peek().kind !== 'close') {
      throw this.#cursor.unexpected(this.#cursor.peek(), `{{${kind}}}`);
    }
    this.#cursor.next();
    if (this.#rangeDepth === 0) {
      throw this.#cursor.error(`{{${kind}}} outside {{range}}`);
    }
    return { kind, position };
  }

  #parseName(context: string): string {
    this.#cursor.skipSpace();
    const token = this.#cursor.next();
    const name = token.kind === 'string' ? unquote(token.text) : undefined;
    if (name === undefined) {
      throw this.#cursor.unexpected(token, context);
    }
    return name;
  }
}
