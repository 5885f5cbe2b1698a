// The documentation names what the code has: error codes, environment variables, metrics, routes of the README.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { configTable } from '../src/config/index.js';
import { errorTable } from '../src/errors/index.js';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const source = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.endsWith('table.ts'))
  .map((file) => read(path.join('src', file)))
  .join('\n');

describe('docs/errors.md', () => {
  const documented = new Map(
    [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)`\s*\| (\d{3})\s*\|/gm)].map((match) => [match[1], Number(match[2])]),
  );

  it('lists every code with its status, and no other', () => {
    const actual = new Map(Object.entries(errorTable).map(([code, { status }]) => [code, status]));
    expect([...documented].sort()).toEqual([...actual].sort());
  });

  it('finds every code in use', () => {
    expect(Object.keys(errorTable).filter((code) => !source.includes(`'${code}'`))).toEqual([]);
  });
});

describe('what tars-demo is taught', () => {
  const facts = JSON.parse(read('models/tars-demo/data/guide.json')) as readonly { readonly answer: string }[];
  const answers = facts.map(({ answer }) => answer).join('\n');
  const named = (pattern: RegExp): string[] => [...new Set([...answers.matchAll(pattern)].map((match) => match[1] ?? match[0]))];

  it('names settings, commands, files and routes that exist', () => {
    const documents = ['README.md', 'CONTRIBUTING.md', 'docs/configuration.md', 'docs/benchmarks/README.md'].map(read).join('\n');
    expect(named(/\b(?:OLLAMA|TARS)_[A-Z_]+/g).filter((name) => !documents.includes(name))).toEqual([]);
    expect(named(/`tars ([a-z]+)/g).filter((name) => !read('src/cli/program.ts').includes(`'${name}`))).toEqual([]);
    expect(named(/npm (?:run )?[a-z]+(?::[a-z]+)?/g).filter((command) => !documents.includes(command))).toEqual(['npm install']);
    expect(named(/\/api\/[a-z]+/g).filter((route) => !source.includes(`'${route}'`))).toEqual([]);
    expect(named(/\b(?:docs\/)?[A-Za-z]+\.md/g).filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });

  it('names tensor types and architectures of the README', () => {
    const readme = read('README.md');
    const types = named(/\b(?:B?F\d\d|Q\d_\d)\b/g);
    expect(types.length).toBeGreaterThan(4);
    expect([...types, 'Llama', 'Qwen2', 'Qwen3'].filter((name) => !readme.includes(name))).toEqual([]);
  });
});

describe('docs/configuration.md', () => {
  it('lists every environment variable', () => {
    const text = read('docs/configuration.md');
    expect(configTable.map(({ name }) => name).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});
