import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorMessage } from '../../errors/index.js';
import { fromJson, GoTemplate } from './index.js';

interface Case {
  readonly template: string;
  readonly output?: string;
  readonly error?: string;
}

// What Go's text/template gives; written by test/fixtures/template/make_fixtures.go, its version is in the file.
const fixture = new URL('../../../test/fixtures/template/go-template.json', import.meta.url);
const { data, cases } = JSON.parse(readFileSync(fixture, 'utf8')) as { data: unknown; cases: Case[] };

function run(source: string): Case {
  try {
    return { template: source, output: GoTemplate.parse(source).execute(fromJson(data)) };
  } catch (error) {
    return { template: source, error: errorMessage(error) };
  }
}

describe('Go templates', () => {
  it.each(cases.filter((entry) => entry.error === undefined))('gives what Go gives for $template', (entry) => {
    expect(run(entry.template)).toEqual({ output: '', ...entry });
  });

  it.each(cases.filter((entry) => entry.error !== undefined))('fails as Go fails for $template', (entry) => {
    expect(run(entry.template)).toEqual(entry);
  });
});
