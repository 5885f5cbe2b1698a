import { describe, expect, it } from 'vitest';
import { createToolCallParser, jinjaToolCallFormat, type ToolCallFormat, type ToolCallPiece } from './index.js';

const names = ['get_weather', 'get_weather_hourly', 'now'];
const hermes: ToolCallFormat = { kind: 'tagged', open: '<tool_call>', close: '</tool_call>' };

function run(format: ToolCallFormat, text: string, size = 1000): ToolCallPiece {
  const parser = createToolCallParser(format, names);
  const pieces = (text.match(new RegExp(`[^]{1,${size}}`, 'gu')) ?? []).map((piece) => parser.push(piece));
  const all = [...pieces, parser.flush()];
  return { text: all.map((piece) => piece.text).join(''), calls: all.flatMap((piece) => piece.calls) };
}

const paris = { name: 'get_weather', arguments: { city: 'Paris' } };
const parisJson = '{"name": "get_weather", "arguments": {"city": "Paris"}}';

type Case = readonly [format: ToolCallFormat, text: string, expected: ToolCallPiece];

const generic = (tag: string): ToolCallFormat => ({ kind: 'generic', tag });

const cases: Case[] = [
  [hermes, `<tool_call>\n${parisJson}\n</tool_call>`, { text: '', calls: [paris] }],
  [
    hermes,
    `Let me look.\n<tool_call>${parisJson}</tool_call>\n<tool_call>${parisJson}</tool_call>`,
    { text: 'Let me look.\n', calls: [paris, paris] },
  ],
  [hermes, `<tool_call>${parisJson}</tool_call>\nDone`, { text: '\nDone', calls: [paris] }],
  [hermes, `<tool_call>${parisJson}`, { text: '', calls: [paris] }],
  [
    hermes,
    '<tool_call>{"name": "other", "arguments": "{\\"a\\": 1}"}</tool_call>',
    { text: '', calls: [{ name: 'other', arguments: { a: 1 } }] },
  ],
  [hermes, 'a <tool_call>not json</tool_call> b', { text: 'a <tool_call>not json</tool_call> b', calls: [] }],
  [hermes, 'a <tool_call>{"name": "x"', { text: 'a <tool_call>{"name": "x"', calls: [] }],
  [hermes, 'plain <tool text', { text: 'plain <tool text', calls: [] }],
  [generic('{'), parisJson, { text: '', calls: [paris] }],
  [generic('{'), '{"name": "get_weather", "parameters": {"city": "Paris"}}', { text: '', calls: [paris] }],
  [generic('{'), `\n${parisJson}\n${parisJson}`, { text: '', calls: [paris, paris] }],
  [generic('{'), `Use {"name": "get_weather"}`, { text: 'Use {"name": "get_weather"}', calls: [] }],
  [generic('{'), '{"answer": 42}', { text: '{"answer": 42}', calls: [] }],
  [generic('{'), '{"name": "unknown", "arguments": {}}', { text: '{"name": "unknown", "arguments": {}}', calls: [] }],
  [
    generic('{'),
    '{"name": "other", "arguments": {"f": "now"}}',
    { text: '{"name": "other", "arguments": {"f": "now"}}', calls: [] },
  ],
  [
    generic('['),
    `[${parisJson}, {"name": "now", "arguments": {}}]`,
    { text: '', calls: [paris, { name: 'now', arguments: {} }] },
  ],
  [generic('[TOOL_CALLS]'), `Hm. [TOOL_CALLS] [${parisJson}]`, { text: 'Hm. ', calls: [paris] }],
  [generic('[TOOL_CALLS]'), '[TOOL_CALLS]get_weather{"city": "Paris"}', { text: '', calls: [paris] }],
  [
    generic('[TOOL_CALLS]'),
    '[TOOL_CALLS]get_weather_hourly{"a": "}{"}',
    { text: '', calls: [{ name: 'get_weather_hourly', arguments: { a: '}{' } }] },
  ],
  [generic('[TOOL_CALLS]'), 'a [TOOL b', { text: 'a [TOOL b', calls: [] }],
  [generic('[TOOL_CALLS]'), '[TOOL_CALLS] nothing', { text: '[TOOL_CALLS] nothing', calls: [] }],
  [
    generic('{'),
    '{"function": {"name": "now", "arguments": {"zone": {"id": 1}}}}',
    { text: '', calls: [{ name: 'now', arguments: { zone: { id: 1 } } }] },
  ],
  [generic('{'), '{"get_weather": {"city": "Paris"}}', { text: '', calls: [paris] }],
];

describe('tool-call parsers', () => {
  it.each(cases)('%j reads %j however it is cut', (format, text, expected) => {
    for (const size of [1, 2, 3, 7, 1000]) {
      expect(run(format, text, size)).toEqual(expected);
    }
  });

  it('reports a call as soon as it is complete', () => {
    const parser = createToolCallParser(hermes, names);
    expect(parser.push(`Hi <tool_call>${parisJson}`)).toEqual({ text: 'Hi ', calls: [] });
    expect(parser.push('</tool_call>')).toEqual({ text: '', calls: [paris] });
  });

  it('stays fast when long arguments come character by character', () => {
    const text = `[TOOL_CALLS]get_weather{"city": "${'x{'.repeat(20_000)}"}`;
    const startMs = performance.now();
    expect(run(generic('[TOOL_CALLS]'), text, 1).calls).toHaveLength(1);
    expect(performance.now() - startMs).toBeLessThan(5000);
  });

  it('is chosen by the markers of a Jinja template', () => {
    expect(jinjaToolCallFormat("{{ '<tool_call>' }}")).toEqual(hermes);
    expect(jinjaToolCallFormat("{{ '[TOOL_CALLS]' }}")).toEqual(generic('[TOOL_CALLS]'));
    expect(jinjaToolCallFormat('{{ tools }}')).toEqual(generic('{'));
  });
});
