import { describe, expect, it } from 'vitest';
import { decodeModelfile, formatModelfile, parseModelfile, type ModelfileCommand } from './modelfile.js';

describe('parseModelfile', () => {
  it('reads every kind of command', () => {
    const text = [
      '# a comment',
      '',
      'from ./weights.gguf',
      '  PARAMETER temperature 0.5',
      'PARAMETER stop "two words"',
      'SYSTEM You are # not a comment',
      'TEMPLATE """{{ .System }}',
      '"quoted"',
      '{{ .Prompt }}"""',
      'LICENSE "first',
      'second"',
      'MESSAGE user Hello there',
      'REQUIRES 0.14.0',
    ].join('\n');
    expect(parseModelfile(text)).toEqual([
      { keyword: 'from', value: './weights.gguf' },
      { keyword: 'parameter', name: 'temperature', value: '0.5' },
      { keyword: 'parameter', name: 'stop', value: 'two words' },
      { keyword: 'system', value: 'You are # not a comment' },
      { keyword: 'template', value: '{{ .System }}\n"quoted"\n{{ .Prompt }}' },
      { keyword: 'license', value: 'first\nsecond' },
      { keyword: 'message', role: 'user', value: 'Hello there' },
      { keyword: 'requires', value: '0.14.0' },
    ]);
  });

  it('keeps what is inside quotes and trims what is outside', () => {
    expect(parseModelfile('FROM m\nSYSTEM   """\n  x\n"""  ')[1]).toEqual({ keyword: 'system', value: '\n  x\n' });
    expect(parseModelfile(`FROM m\nSYSTEM 'single'\t`)[1]).toEqual({ keyword: 'system', value: "'single'" });
    expect(parseModelfile('FROM m\nSYSTEM ""')[1]).toEqual({ keyword: 'system', value: '' });
  });

  it('takes CR and CRLF for newlines and drops unprintable characters', () => {
    expect(parseModelfile('FROM m\r\nSYSTEM a\u200bb\u00a0c\rLICENSE x')).toEqual([
      { keyword: 'from', value: 'm' },
      { keyword: 'system', value: 'abc' },
      { keyword: 'license', value: 'x' },
    ]);
  });

  it('decodes UTF-16 with a byte order mark', () => {
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('FROM m', 'utf16le')]);
    expect(decodeModelfile(utf16)).toBe('FROM m');
    expect(decodeModelfile(Buffer.from('\ufeffFROM m'))).toBe('FROM m');
  });

  const commandError =
    'command must be one of "from", "license", "template", "system", "adapter", "draft", "renderer", "parser", "parameter", "message", or "requires"';
  it.each([
    ['\nFROM m\nBADCOMMAND a b\n', `(line 3): ${commandError}`],
    ['FROM\n', `(line 1): ${commandError}`],
    ['FROM m\r\n\r\nBAD x', `(line 3): ${commandError}`],
    ['FROM m\nMESSAGE bad hello', '(line 2): message role must be one of "system", "user", or "assistant"'],
    ['FROM m\nMESSAGE User hello', '(line 2): message role must be one of "system", "user", or "assistant"'],
    ['FROM m\nPARAMETER top_k', 'unexpected EOF'],
    ['FROM m\nPARAMETER top_k\n', 'unexpected EOF'],
    ['FROM m\nMESSAGE user\n', 'unexpected EOF'],
    ['FROM m\nSYSTEM "open', 'unexpected EOF'],
    ['FROM m\nSYSTEM """open"', 'unexpected EOF'],
    ['FROM', 'unexpected EOF'],
    ['SYSTEM x', 'no FROM line'],
    ['', 'no FROM line'],
  ])('refuses %j', (text, message) => {
    expect(() => parseModelfile(text)).toThrow(message);
  });

  it('reads a long open quote in linear time', () => {
    // Quadratic work over 200 000 lines would run into the time limit.
    const text = `FROM m\nLICENSE """${'line of a licence \n'.repeat(200_000)}"""`;
    expect(parseModelfile(text)).toHaveLength(2);
  });
});

describe('formatModelfile', () => {
  it('is read back as the same commands', () => {
    const commands: ModelfileCommand[] = [
      { keyword: 'from', value: 'm:latest' },
      { keyword: 'parameter', name: 'stop', value: '<|end|>' },
      { keyword: 'parameter', name: 'stop', value: ' leading' },
      { keyword: 'parameter', name: 'stop', value: '\n' },
      { keyword: 'system', value: 'plain' },
      { keyword: 'system', value: '"starts quoted' },
      { keyword: 'template', value: 'a\n"b"\nc' },
      { keyword: 'license', value: 'one\ntwo ' },
      { keyword: 'message', role: 'assistant', value: 'multi\nline' },
    ];
    expect(parseModelfile(formatModelfile(commands))).toEqual(commands);
  });

  it('quotes only where it must', () => {
    expect(formatModelfile([{ keyword: 'system', value: 'a "b" c' }])).toBe('SYSTEM a "b" c\n');
    expect(formatModelfile([{ keyword: 'system', value: 'a\nb' }])).toBe('SYSTEM "a\nb"\n');
  });
});
