// The import rules of docs/structure.md: who may import whom, no cycles, one owner per library.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const sourceRoot = path.resolve(import.meta.dirname, '..', 'src');

const leaves = ['util', 'errors'];

/** Folder → folders that it may import, beside `util` and `errors`, which everyone but themselves may. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  util: [],
  errors: [],
  config: [],
  log: ['config'],
  api: [],
  quant: [],
  tokenizer: [],
  sampling: [],
  metrics: [],
  formats: ['quant', 'tokenizer'],
  template: ['api'],
  runtime: [],
  graph: ['formats', 'quant'],
  registry: ['api', 'formats', 'config', 'log'],
  engine: ['runtime', 'sampling', 'quant'],
  runners: ['registry', 'graph', 'engine', 'tokenizer', 'template', 'formats', 'quant', 'runtime', 'sampling', 'config', 'log'],
  server: ['runners', 'registry', 'formats', 'template', 'api', 'config', 'log', 'metrics', 'sampling', 'quant'],
  cli: ['server', 'registry', 'api', 'config', 'log', 'runtime'],
};

const owners: Readonly<Record<string, string>> = {
  koffi: 'runtime',
  'onnxruntime-node': 'runtime',
  fastify: 'server',
  commander: 'cli',
  'prom-client': 'metrics',
  pino: 'log',
  '@huggingface/tokenizers': 'tokenizer',
  '@huggingface/jinja': 'template',
  '@mlc-ai/web-xgrammar': 'sampling',
};

interface Import {
  readonly from: string;
  readonly specifier: string;
}

const files = readdirSync(sourceRoot, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
);

const imports: Import[] = files.flatMap((file) =>
  [...readFileSync(path.join(sourceRoot, file), 'utf8').matchAll(/^\s*(?:import|export)\b[^'"]*?from\s+'([^']+)'/gm)].map(
    (match) => ({
      from: file,
      specifier: match[1] ?? '',
    }),
  ),
);

const folderOf = (file: string): string => file.split(path.sep)[0] ?? '';

const internal = imports
  .filter(({ specifier }) => specifier.startsWith('.'))
  .map(({ from, specifier }) => ({
    from,
    to: path.relative(sourceRoot, path.resolve(sourceRoot, path.dirname(from), specifier.replace(/\.js$/, '.ts'))),
  }));

describe('imports', () => {
  it('has a rule for every folder', () => {
    expect([...new Set(files.map(folderOf))].sort()).toEqual(Object.keys(allowed).sort());
  });

  it('follows the levels', () => {
    const violations = internal.filter(({ from, to }) => {
      const [source, target] = [folderOf(from), folderOf(to)];
      return (
        source !== target && !(allowed[source] ?? []).includes(target) && (!leaves.includes(target) || leaves.includes(source))
      );
    });
    expect(violations).toEqual([]);
  });

  it('goes through the public list of another folder', () => {
    const bypasses = internal.filter(({ from, to }) => folderOf(from) !== folderOf(to) && !to.endsWith(`${path.sep}index.ts`));
    expect(bypasses).toEqual([]);
  });

  it('uses each library in its one folder', () => {
    const strays = imports.filter(({ from, specifier }) => specifier in owners && owners[specifier] !== folderOf(from));
    expect(strays).toEqual([]);
  });

  it('has no cycle between files', () => {
    const edges = new Map<string, string[]>();
    for (const { from, to } of internal) {
      edges.set(from, [...(edges.get(from) ?? []), to]);
    }
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, trail: readonly string[]): void => {
      if (state.get(file) === 'open') {
        cycles.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
        return;
      }
      if (state.get(file) === 'done') {
        return;
      }
      state.set(file, 'open');
      (edges.get(file) ?? []).forEach((next) => visit(next, [...trail, file]));
      state.set(file, 'done');
    };
    files.forEach((file) => visit(file, []));
    expect(cycles).toEqual([]);
  });
});
