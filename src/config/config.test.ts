import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadConfig } from './config.js';
import { clientUrl, formatHostPort, parseHost } from './host.js';
import { parseKeepAlive } from './keep-alive.js';
import { configTable } from './table.js';

const home = { HOME: '/home/ada' };

describe('loadConfig', () => {
  it('has the defaults of Ollama', () => {
    expect(loadConfig(home)).toMatchObject({
      host: { scheme: 'http', hostname: '127.0.0.1', port: 11434, path: '' },
      modelsDirectory: '/home/ada/.ollama/models',
      keepAliveMs: 300_000,
      maxQueue: 512,
      loadTimeoutMs: 300_000,
      logLevel: 'info',
      kvCacheType: 'f16',
      goTemplate: 'auto',
      isPruneDisabled: false,
      cacheDirectory: '/home/ada/.cache/tars',
      provider: 'auto',
      nativeLibrary: undefined,
      warnings: [],
    });
  });

  it('trims spaces and quotes', () => {
    expect(loadConfig({ ...home, OLLAMA_MODELS: ' "/srv/models" ' }).modelsDirectory).toBe('/srv/models');
  });

  it.each([
    ['10m', 600_000],
    ['30', 30_000],
    ['0', 0],
    ['-1', Infinity],
    ['-5m', Infinity],
    ['soon', 300_000],
  ])('OLLAMA_KEEP_ALIVE=%s', (text, milliseconds) => {
    expect(loadConfig({ ...home, OLLAMA_KEEP_ALIVE: text }).keepAliveMs).toBe(milliseconds);
  });

  it('waits for ever with a load timeout of 0 or less', () => {
    expect(loadConfig({ ...home, OLLAMA_LOAD_TIMEOUT: '0' }).loadTimeoutMs).toBe(Infinity);
    expect(loadConfig({ ...home, OLLAMA_LOAD_TIMEOUT: '-1s' }).loadTimeoutMs).toBe(Infinity);
  });

  it.each([
    ['1', 'debug'],
    ['true', 'debug'],
    ['2', 'trace'],
    ['0', 'info'],
    ['loud', 'info'],
  ])('OLLAMA_DEBUG=%s', (text, level) => {
    expect(loadConfig({ ...home, OLLAMA_DEBUG: text }).logLevel).toBe(level);
  });

  it('takes any word that is no boolean for true', () => {
    expect(loadConfig({ ...home, OLLAMA_NOPRUNE: 'yes' }).isPruneDisabled).toBe(true);
    expect(loadConfig({ ...home, OLLAMA_NOPRUNE: 'false' }).isPruneDisabled).toBe(false);
  });

  it('falls back with a warning on a bad number', () => {
    const config = loadConfig({ ...home, OLLAMA_MAX_QUEUE: 'many', OLLAMA_HOST: 'localhost:http' });
    expect(config.maxQueue).toBe(512);
    expect(config.host.port).toBe(11434);
    expect(config.warnings).toEqual([
      'OLLAMA_HOST: invalid port "http", using 11434',
      'OLLAMA_MAX_QUEUE: invalid number "many", using 512',
    ]);
  });

  it('refuses a choice that does not exist', () => {
    expect(() => loadConfig({ ...home, TARS_PROVIDER: 'gpu' })).toThrow(
      'TARS_PROVIDER: "gpu" is not one of auto, cpu, cuda, webgpu',
    );
  });

  it('puts own origins before those that are always allowed and refuses a bare word', () => {
    const { origins } = loadConfig({ ...home, OLLAMA_ORIGINS: 'https://ui.example,chrome-extension://*' });
    expect(origins.slice(0, 3)).toEqual(['https://ui.example', 'chrome-extension://*', 'http://localhost']);
    expect(origins).toContain('http://127.0.0.1:*');
    expect(() => loadConfig({ ...home, OLLAMA_ORIGINS: 'ui.example' })).toThrow('OLLAMA_ORIGINS');
    expect(loadConfig({ ...home, OLLAMA_ORIGINS: '*' }).origins[0]).toBe('*');
  });

  it('prefers XDG_CACHE_HOME, and TARS_CACHE_DIR over it', () => {
    expect(loadConfig({ ...home, XDG_CACHE_HOME: '/x' }).cacheDirectory).toBe('/x/tars');
    expect(loadConfig({ ...home, XDG_CACHE_HOME: '/x', TARS_CACHE_DIR: '/y' }).cacheDirectory).toBe('/y');
  });
});

describe('parseHost', () => {
  it.each([
    ['', 'http', '127.0.0.1', 11434, ''],
    ['1.2.3.4', 'http', '1.2.3.4', 11434, ''],
    ['example.com:56789', 'http', 'example.com', 56789, ''],
    [':1234', 'http', '', 1234, ''],
    ['[::1]', 'http', '::1', 11434, ''],
    ['[::1]:1337', 'http', '::1', 1337, ''],
    ['::1', 'http', '::1', 11434, ''],
    ['http://example.com', 'http', 'example.com', 80, ''],
    ['https://example.com', 'https', 'example.com', 443, ''],
    ['https://example.com:8443/a/b/', 'https', 'example.com', 8443, 'a/b'],
    ['example.com/x', 'http', 'example.com', 11434, 'x'],
    ['example.com:70000', 'http', 'example.com', 11434, ''],
    ['0.0.0.0:0', 'http', '0.0.0.0', 0, ''],
  ])('%j', (text, scheme, hostname, port, path) => {
    expect(parseHost(text)).toEqual({ scheme, hostname, port, path });
  });

  it('gives clients an address that can be dialled', () => {
    expect(clientUrl(parseHost('0.0.0.0'))).toBe('http://127.0.0.1:11434');
    expect(clientUrl(parseHost(':99'))).toBe('http://127.0.0.1:99');
    expect(clientUrl(parseHost('[::]:99'))).toBe('http://[::1]:99');
    expect(clientUrl(parseHost('https://h/p/'))).toBe('https://h:443/p');
    expect(formatHostPort('::1', 5)).toBe('[::1]:5');
  });
});

describe('parseKeepAlive', () => {
  it.each([
    [undefined, undefined],
    [null, undefined],
    [0, 0],
    [0.5, 500],
    [-1, Infinity],
    ['10m', 600_000],
    ['-1m', Infinity],
    ['0', 0],
  ])('%j', (value, milliseconds) => {
    expect(parseKeepAlive(value)).toBe(milliseconds);
  });

  it.each([
    ['5', 'time: missing unit in duration "5"'],
    [true, "Unsupported type: 'bool'"],
    [{}, "Unsupported type: 'map[string]interface {}'"],
    [[], "Unsupported type: '[]interface {}'"],
  ])('refuses %j', (value, message) => {
    expect(() => parseKeepAlive(value)).toThrow(message);
  });
});

describe('docs/configuration.md', () => {
  it('lists every variable with its default and meaning, and no other', () => {
    const text = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    const rows = [...text.matchAll(/^\| `([A-Z_]+)` +\| (.*?) *\| (.*?) *\|$/gm)].map(([, name, fallback, meaning]) => ({
      name,
      default: fallback?.replace(/^`(.*)`$/, '$1'),
      meaning,
    }));
    expect(rows).toEqual(configTable);
  });
});
