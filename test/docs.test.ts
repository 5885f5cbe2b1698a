// The documentation names what the code has: error codes, environment variables, metrics, routes of the README.
import { readFileSync, readdirSync } from 'node:fs';
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

describe('docs/configuration.md', () => {
  it('lists every environment variable', () => {
    const text = read('docs/configuration.md');
    expect(configTable.map(({ name }) => name).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});
