import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Message, Tool } from '../api/index.js';
import { TarsError } from '../errors/index.js';
import { compileChatTemplate } from './index.js';

interface Case {
  readonly name: string;
  readonly template: string;
  readonly conversation: {
    readonly messages: readonly (Message & { name?: string })[];
    readonly tools?: readonly Tool[];
    readonly enable_thinking?: boolean;
    readonly reasoning_effort?: string;
    readonly custom?: string;
  };
  readonly output?: string;
  readonly refusal?: string;
}

// What transformers makes of the templates; written by test/fixtures/template/make_jinja_fixtures.py, versions in the file.
const fixture = new URL('../../test/fixtures/template/jinja.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(fixture, 'utf8')) as { cases: Case[] };

function render({ template, conversation }: Case): string {
  const { enable_thinking: enableThinking, reasoning_effort: reasoningEffort, custom, tools } = conversation;
  return compileChatTemplate(template, { bosToken: '<s>', eosToken: '</s>' }).render({
    messages: conversation.messages.map(({ name, ...message }) => ({
      ...message,
      ...(name !== undefined && { tool_name: name }),
    })),
    addGenerationPrompt: true,
    ...(tools && { tools }),
    ...(enableThinking !== undefined && { enableThinking }),
    ...(reasoningEffort !== undefined && { reasoningEffort }),
    ...(custom !== undefined && { extra: { custom } }),
  });
}

function errorOf(run: () => unknown): TarsError {
  try {
    run();
  } catch (error) {
    if (error instanceof TarsError) {
      return error;
    }
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('chat template', () => {
  it.each(cases.filter((entry) => entry.output !== undefined))('renders $name as transformers does', (entry) => {
    expect(render(entry)).toBe(entry.output);
  });

  it.each(cases.filter((entry) => entry.refusal !== undefined))('passes on the message of $name', (entry) => {
    const error = errorOf(() => render(entry));
    expect([error.code, error.message]).toEqual(['TEMPLATE_REFUSED', `chat template: ${entry.refusal}`]);
  });

  it.each(cases.filter((entry) => entry.output === undefined && entry.refusal === undefined))('fails on $name', (entry) => {
    expect(errorOf(() => render(entry)).code).toBe('TEMPLATE_FAILED');
  });

  it('gives the date in English', () => {
    const template = compileChatTemplate(
      '{{ strftime_now("%d %b %Y|%A %B %-d|%H:%M:%S|%I %p|%j|%q|%%") }}',
      {},
      () => new Date(2024, 2, 5, 15, 4, 9),
    );
    expect(template.render({ messages: [], addGenerationPrompt: false })).toBe(
      '05 Mar 2024|Tuesday March 5|15:04:09|03 PM|065|%q|%',
    );
  });

  it('reports a template that does not parse', () => {
    expect(errorOf(() => compileChatTemplate('{% if %}', {})).code).toBe('TEMPLATE_FAILED');
    expect(errorOf(() => compileChatTemplate('{% for x in y %}', {})).code).toBe('TEMPLATE_FAILED');
  });

  it('refuses endless ranges', () => {
    const template = compileChatTemplate('{% for i in range(1000000000) %}x{% endfor %}', {});
    expect(errorOf(() => template.render({ messages: [], addGenerationPrompt: true })).message).toContain('the limit is 100000');
  });

  it('leaves out the thinking of earlier turns', () => {
    const template = compileChatTemplate('{{ messages[0].thinking is defined }}', {});
    const messages = [{ role: 'assistant', content: 'x', thinking: 'hm' }];
    expect(template.render({ messages, addGenerationPrompt: true })).toBe('False');
  });
});
