import { describe, expect, it } from 'vitest';
import { canonicalModelName, displayModelName, isSameModelName, parseModelName, resolveModelName } from './name.js';

describe('parseModelName', () => {
  it.each([
    ['llama3.2', 'registry.ollama.ai/library/llama3.2:latest', 'llama3.2:latest'],
    ['llama3.2:1b', 'registry.ollama.ai/library/llama3.2:1b', 'llama3.2:1b'],
    ['ada/m', 'registry.ollama.ai/ada/m:latest', 'ada/m:latest'],
    ['hf.co/a/b:Q4_K_M', 'hf.co/a/b:Q4_K_M', 'hf.co/a/b:Q4_K_M'],
    ['localhost:5000/a/b', 'localhost:5000/a/b:latest', 'localhost:5000/a/b:latest'],
    ['https://hf.co/a/b:x', 'hf.co/a/b:x', 'hf.co/a/b:x'],
    ['registry.ollama.ai/library/m', 'registry.ollama.ai/library/m:latest', 'm:latest'],
    ['_m-1.0', 'registry.ollama.ai/library/_m-1.0:latest', '_m-1.0:latest'],
  ])('%s', (text, canonical, display) => {
    const name = parseModelName(text);
    expect(name && canonicalModelName(name)).toBe(canonical);
    expect(name && displayModelName(name)).toBe(display);
  });

  it.each([
    '',
    ':',
    'm:',
    ':tag',
    '/m',
    'a//m',
    '//m',
    'http://m',
    '../m',
    'a/../m',
    '.hidden',
    'm:..',
    'a.b/m',
    'm@sha256:abc',
    'with space',
    'ümlaut',
    'a\\b',
    'm\n',
    'x'.repeat(81),
    `m:${'t'.repeat(81)}`,
    'a/b/c/d/e',
    'x'.repeat(1_000_000),
  ])('refuses %j', (text) => {
    expect(parseModelName(text)).toBeUndefined();
  });

  it('reads its own display form back', () => {
    for (const text of ['m', 'a/m:t', 'hf.co/a/m:t', 'h:1/a/m']) {
      const name = parseModelName(text);
      expect(name && parseModelName(displayModelName(name))).toEqual(name);
    }
  });
});

describe('resolveModelName', () => {
  it('takes the stored spelling of each part', () => {
    const stored = ['hf.co/Ada/Model:Q4_K_M', 'other:V2'].flatMap((text) => parseModelName(text) ?? []);
    const wanted = parseModelName('HF.co/ada/mODEL:v2');
    expect(wanted && canonicalModelName(resolveModelName(wanted, stored))).toBe('hf.co/Ada/Model:V2');
  });

  it('compares without case', () => {
    const [a, b] = [parseModelName('M:Latest'), parseModelName('m')];
    expect(a && b && isSameModelName(a, b)).toBe(true);
  });
});
