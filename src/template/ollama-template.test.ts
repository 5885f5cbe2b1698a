import { describe, expect, it } from 'vitest';
import type { Message, Tool } from '../api/index.js';
import { defaultOllamaTemplate, jinjaCapabilities, OllamaTemplate, plainPrompt } from './index.js';

const user = (content: string): Message => ({ role: 'user', content });
const system = (content: string): Message => ({ role: 'system', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });

const tool: Tool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Weather <now>',
    parameters: {
      type: 'object',
      required: ['city'],
      properties: { days: { type: ['integer', 'null'] }, city: { type: 'string', description: 'Place' } },
    },
  },
};

const legacy =
  '{{ if .System }}<|system|>{{ .System }}<|end|>{{ end }}{{ if .Prompt }}<|user|>{{ .Prompt }}<|end|>{{ end }}<|assistant|>{{ .Response }}<|end|>';
const chat =
  '{{ if .System }}S:{{ .System }}\n{{ end }}{{ range $i, $m := .Messages }}{{ $last := eq (len (slice $.Messages $i)) 1 }}' +
  '{{ if eq .Role "user" }}U:{{ .Content }}\n{{ else if eq .Role "assistant" }}A:{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}' +
  '{{ if .ToolCalls }}<tool_call>{{ range .ToolCalls }}{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}{{ end }}</tool_call>{{ end }}\n' +
  '{{ else if eq .Role "tool" }}T:{{ .ToolName }}={{ .Content }}\n{{ end }}{{ if and $last (ne .Role "assistant") }}A:{{ end }}{{ end }}' +
  '{{ if .Tools }}{{ .Tools }}{{ end }}';

describe('Ollama template', () => {
  it('runs a legacy template once for each turn and stops at the response', () => {
    const template = new OllamaTemplate(legacy);
    expect(template.render({ messages: [user('Hi')] })).toBe('<|user|>Hi<|end|><|assistant|>');
    expect(template.render({ messages: [system('Be brief.'), user('Hi'), assistant('Hello'), user('Bye')] })).toBe(
      '<|system|>Be brief.<|end|><|user|>Hi<|end|><|assistant|>Hello<|end|><|user|>Bye<|end|><|assistant|>',
    );
    // An answer that was begun is gone on with.
    expect(template.render({ messages: [user('Hi'), assistant('Hel')] })).toBe('<|user|>Hi<|end|><|assistant|>Hel');
    // A system message after a turn begins a new one; tool results have no place.
    expect(template.render({ messages: [user('a'), system('s'), { role: 'tool', content: 't' }, user('b')] })).toBe(
      '<|user|>a<|end|><|assistant|><|end|><|system|>s<|end|><|user|>b<|end|><|assistant|>',
    );
  });

  it('cuts inside blocks too', () => {
    const template = new OllamaTemplate('{{ .Prompt }}{{ if true }}[{{ .Response }}]{{ else }}x{{ end }}!');
    expect(template.render({ messages: [user('a'), assistant('b'), user('c')] })).toBe('a[b]!c[');
  });

  it('adds the response to a template that names none', () => {
    const template = new OllamaTemplate(defaultOllamaTemplate);
    expect(template.render({ messages: [user('a'), assistant('b'), user('c')] })).toBe('abc');
  });

  it('merges neighbours of one role, except tool results', () => {
    const template = new OllamaTemplate('{{ range .Messages }}[{{ .Role }}:{{ .Content }}]{{ end }}{{ .System }}');
    const messages = [
      system('s1'),
      user('a'),
      user('b'),
      { role: 'tool', content: 't' },
      { role: 'tool', content: 'u' },
      system('s2'),
    ];
    expect(template.render({ messages })).toBe('[system:s1][user:a\n\nb][tool:t][tool:u][system:s2]s1\n\ns2');
    expect(messages[1]?.content).toBe('a');
  });

  it('renders conversations with tools and thinking', () => {
    const template = new OllamaTemplate(chat);
    const call = { function: { index: 0, name: 'get_weather', arguments: { unit: 'C', city: 'Köln & Bonn' } } };
    const messages: Message[] = [
      user('Weather?'),
      { role: 'assistant', content: '', thinking: 'hm', tool_calls: [call] },
      { role: 'tool', content: 'sunny', tool_name: 'get_weather' },
    ];
    expect(template.render({ messages })).toBe(
      'U:Weather?\nA:<think>hm</think><tool_call>{"name": "get_weather", "arguments": {"city":"Köln \\u0026 Bonn","unit":"C"}}</tool_call>\nT:get_weather=sunny\nA:',
    );
    expect(template.render({ messages: [user('x')], tools: [tool] })).toBe(
      'U:x\nA:[{"type":"function","function":{"name":"get_weather","description":"Weather \\u003cnow\\u003e","parameters":{"type":"object","required":["city"],' +
        '"properties":{"city":{"type":"string","description":"Place"},"days":{"type":["integer","null"]}}}}}]',
    );
  });

  it('gives tools to templates field by field', () => {
    const template = new OllamaTemplate(
      '{{ range .Tools }}{{ .Function.Name }}({{ range $k, $v := .Function.Parameters.Properties }}{{ $k }}: {{ toTypeScriptType $v }} {{ $v.Type }};{{ end }}){{ end }}{{ range .Messages }}{{ end }}',
    );
    expect(template.render({ messages: [], tools: [tool] })).toBe(
      'get_weather(city: string string;days: number | null [integer null];)',
    );
  });

  it('sets the variables of thinking', () => {
    const template = new OllamaTemplate('{{ .Think }} {{ .ThinkLevel }} {{ .IsThinkSet }}{{ range .Messages }}{{ end }}');
    expect(template.render({ messages: [] })).toBe('false  false');
    expect(template.render({ messages: [], think: false })).toBe('false  true');
    expect(template.render({ messages: [], think: true })).toBe('true medium true');
    expect(template.render({ messages: [], think: 'high' })).toBe('true high true');
  });

  it('fills in the middle', () => {
    const template = new OllamaTemplate(
      '{{ if .Suffix }}<PRE>{{ .Prompt }}<SUF>{{ .Suffix }}<MID>{{ else }}{{ .Prompt }}{{ end }}',
    );
    expect(template.renderInsert('def f(', '):')).toBe('<PRE>def f(<SUF>):<MID>');
    expect(template.capabilities).toEqual({ tools: false, thinking: false, insert: true });
  });

  it('knows what it can do', () => {
    const template = new OllamaTemplate(chat);
    expect(template.capabilities).toEqual({ tools: true, thinking: true, insert: false });
    expect(template.thinkingTags).toEqual({ open: '<think>', close: '</think>' });
    expect(template.toolCallFormat).toEqual({ kind: 'generic', tag: '<tool_call>' });
    const other = new OllamaTemplate('{{ range .Messages }}{{ if .ToolCalls }}\n[{"name": {{ .ToolCalls }}]{{ end }}{{ end }}');
    expect(other.toolCallFormat).toEqual({ kind: 'generic', tag: '[' });
    expect(other.thinkingTags).toBeUndefined();
    expect(new OllamaTemplate(legacy).toolCallFormat).toEqual({ kind: 'generic', tag: '{' });
  });

  it('gives the date', () => {
    const template = new OllamaTemplate('{{ currentDate }} {{ yesterdayDate "x" }}', () => new Date(2024, 2, 1, 12));
    expect(template.render({ messages: [] })).toBe('2024-03-01 2024-02-29');
  });

  it('speaks as Go does about a broken template', () => {
    expect(() => new OllamaTemplate('{{ .Prompt')).toThrow('template: :1: unclosed action');
    const wrong = new OllamaTemplate('{{ range .Messages }}{{ .Rolle }}{{ end }}');
    expect(() => wrong.render({ messages: [user('x')] })).toThrow(
      'template: :1:24: executing "" at <.Rolle>: can\'t evaluate field Rolle in type *template.templateMessage',
    );
  });

  it('bounds recursion and nesting', () => {
    const endless = new OllamaTemplate('{{ define "t" }}{{ template "t" }}{{ end }}{{ template "t" }}');
    expect(() => endless.render({ messages: [] })).toThrow('exceeded maximum template depth');
    expect(() => new OllamaTemplate('{{ if true }}'.repeat(100_000))).toThrow('blocks inside each other');
    expect(() => new OllamaTemplate(`{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`)).toThrow('blocks inside each other');
  });
});

describe('capabilities of a Jinja template', () => {
  it.each([
    ['{{ messages }}', false, false],
    ['{% if tools %}{% endif %}', true, false],
    ['<tool_call>', true, false],
    ['<think></think>', false, true],
    ["{{ content.split('</think>')[-1] }}", false, true],
    ["{{ content.split('</think>')[-1] }}{{ message.reasoning_content }}", false, false],
  ])('of %j', (source, tools, thinking) => {
    expect(jinjaCapabilities(source)).toEqual({ tools, thinking, insert: false });
  });
});

describe('plain prompt', () => {
  it('is the texts alone', () => {
    expect(plainPrompt([system('s'), user('a'), assistant('')])).toBe('s\n\na');
  });
});
