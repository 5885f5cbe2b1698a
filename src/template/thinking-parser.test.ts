import { describe, expect, it } from 'vitest';
import { ThinkingParser, type ThinkingPiece } from './index.js';

function run(text: string, size = text.length || 1, prompt = ''): ThinkingPiece {
  const parser = new ThinkingParser({ open: '<think>', close: '</think>' }, prompt);
  const pieces = (text.match(new RegExp(`[^]{1,${size}}`, 'gu')) ?? []).map((piece) => parser.push(piece));
  const all = [...pieces, parser.flush()];
  return { thinking: all.map((piece) => piece.thinking).join(''), content: all.map((piece) => piece.content).join('') };
}

const cases: (readonly [text: string, thinking: string, content: string])[] = [
  ['<think>hm</think>Hello', 'hm', 'Hello'],
  ['\n <think>\n hm \n</think>\n\nHello <think>', 'hm \n', 'Hello <think>'],
  ['Hello <think>x</think>', '', 'Hello <think>x</think>'],
  ['<thin air', '', '<thin air'],
  ['<think>never closed </thi', 'never closed </thi', ''],
  ['<think></think>Hello', '', 'Hello'],
  ['<think>a < b </b> c</think>x</think>', 'a < b </b> c', 'x</think>'],
  ['  \n', '', '  \n'],
  ['<thi', '', '<thi'],
  ['', '', ''],
];

describe('ThinkingParser', () => {
  it.each(cases)('splits %j however it is cut', (text, thinking, content) => {
    for (const size of [1, 2, 3, 5, 100]) {
      expect(run(text, size)).toEqual({ thinking, content });
    }
  });

  it('begins inside the thinking when the prompt opens it', () => {
    expect(run('hm</think>\n\nHi', 2, 'user: x\nassistant: <think>\n')).toEqual({ thinking: 'hm', content: 'Hi' });
  });

  it('hands text on as soon as it is certain', () => {
    const parser = new ThinkingParser();
    expect(parser.push('<think>one ')).toEqual({ thinking: 'one ', content: '' });
    expect(parser.push('two <')).toEqual({ thinking: 'two ', content: '' });
    expect(parser.push('/b>')).toEqual({ thinking: '</b>', content: '' });
    expect(parser.push('</think> three')).toEqual({ thinking: '', content: 'three' });
    expect(parser.push(' four <')).toEqual({ thinking: '', content: ' four <' });
  });
});
