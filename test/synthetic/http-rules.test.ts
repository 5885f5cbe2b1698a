// What holds on every route: plain replies, 404 and 405, redirects, CORS, host check, JSON decoding.
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFixture, type Fixture } from './server-fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture({ withModels: false });
});
afterAll(() => fixture.close());

type Method = 'GET' | 'HEAD' | 'POST' | 'DELETE' | 'OPTIONS' | 'PUT' | 'PATCH';

function inject(method: Method, url: string, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  return fixture.app.inject({ method, url, headers: { host: '127.0.0.1:11434', ...headers } });
}

describe('plain routes', () => {
  it('answers GET and HEAD /', async () => {
    const reply = await inject('GET', '/');
    expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([
      200,
      'text/plain; charset=utf-8',
      'Ollama is running',
    ]);
    const head = await inject('HEAD', '/');
    expect([head.statusCode, head.body]).toEqual([200, '']);
  });

  it('answers version and status', async () => {
    const reply = await inject('GET', '/api/version');
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(reply.body).toMatch(/^\{"version":"\d+\.\d+\.\d+"\}$/);
    expect((await inject('HEAD', '/api/version')).statusCode).toBe(200);
    expect((await inject('GET', '/api/status')).body).toBe('{"cloud":{"disabled":false,"source":"none"}}');
  });

  it('lists nothing as empty arrays', async () => {
    expect((await inject('GET', '/api/tags')).body).toBe('{"models":[]}');
    expect((await inject('GET', '/api/ps')).body).toBe('{"models":[]}');
    expect((await inject('HEAD', '/api/tags')).statusCode).toBe(200);
  });

  it('serves metrics as Prometheus text', async () => {
    const reply = await inject('GET', '/metrics');
    expect(reply.headers['content-type']).toContain('text/plain');
    expect(reply.body).toContain('tars_loaded_models 0');
  });
});

describe('unknown paths and methods', () => {
  it('answers 404 in plain text, or in JSON to a client that asks for JSON', async () => {
    const reply = await inject('GET', '/api/nothing');
    expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([404, 'text/plain', '404 page not found']);
    const json = await inject('POST', '/api/nothing', { accept: 'application/json' });
    expect([json.statusCode, json.body]).toEqual([404, '{"error":"404 page not found"}']);
    expect((await inject('GET', '/API/TAGS')).statusCode).toBe(404);
  });

  it.each([
    ['DELETE', '/', 'HEAD, GET'],
    ['POST', '/api/tags', 'HEAD, GET'],
    ['HEAD', '/api/ps', 'GET'],
    ['GET', '/api/chat', 'POST'],
    ['POST', '/api/delete', 'DELETE'],
    ['GET', `/api/blobs/sha256:${'0'.repeat(64)}`, 'HEAD, POST'],
    ['OPTIONS', '/api/chat', 'POST'],
  ] as const)('answers 405 to %s %s', async (method, url, allow) => {
    const reply = await inject(method, url);
    expect([reply.statusCode, reply.headers['content-type'], reply.headers.allow]).toEqual([405, 'text/plain', allow]);
    expect(reply.body).toBe(method === 'HEAD' ? '' : '405 method not allowed');
  });

  it('decodes escapes in a path', async () => {
    expect((await inject('GET', '/api/%74ags')).statusCode).toBe(200);
  });
});

describe('redirects', () => {
  it('drops a slash at the end of a known path', async () => {
    const reply = await inject('GET', '/api/tags/?a=1');
    expect([reply.statusCode, reply.headers.location, reply.headers['content-type'], reply.body]).toEqual([
      301,
      '/api/tags?a=1',
      'text/html; charset=utf-8',
      '<a href="/api/tags?a=1">Moved Permanently</a>.\n\n',
    ]);
    const post = await inject('POST', '/api/chat/');
    expect([post.statusCode, post.headers.location, post.body, post.headers['content-type']]).toEqual([
      307,
      '/api/chat',
      '',
      undefined,
    ]);
    expect((await inject('GET', '/api/chat/')).statusCode).toBe(404);
  });

  it.each([['//api/version', '/api/version']])('cleans %s, before the host is looked at', async (url, location) => {
    const reply = await inject('GET', url, { host: 'evil.example' });
    expect([reply.statusCode, reply.headers.location]).toEqual([307, location]);
    expect(reply.body).toBe('<a href="/api/version">Temporary Redirect</a>.\n\n');
  });
});

describe('CORS', () => {
  it.each([
    'http://localhost',
    'https://localhost:3000',
    'http://127.0.0.1:8080',
    'http://0.0.0.0',
    'app://x',
    'tauri://y',
    'vscode-webview://z',
  ])('allows %s', async (origin) => {
    const reply = await inject('GET', '/api/version', { origin });
    expect([reply.statusCode, reply.headers['access-control-allow-origin'], reply.headers.vary]).toEqual([200, origin, 'Origin']);
  });

  it.each(['http://evil.example', 'null', 'http://[::1]:80', 'http://LOCALHOST', 'chrome-extension://abc'])(
    'refuses %s on every method and path',
    async (origin) => {
      for (const [method, url] of [
        ['GET', '/'],
        ['POST', '/api/chat'],
        ['OPTIONS', '/api/chat'],
        ['GET', '/nothing'],
      ] as const) {
        const reply = await inject(method, url, { origin });
        expect([reply.statusCode, reply.body]).toEqual([403, '']);
      }
    },
  );

  it('answers a preflight, on unknown paths too', async () => {
    for (const url of ['/api/chat', '/nothing']) {
      const reply = await inject('OPTIONS', url, { origin: 'http://localhost:5173' });
      expect([reply.statusCode, reply.body]).toEqual([204, '']);
      expect(reply.headers).toMatchObject({
        'access-control-allow-methods': 'GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS',
        'access-control-max-age': '43200',
        'access-control-allow-origin': 'http://localhost:5173',
        vary: ['Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers'],
      });
      expect(reply.headers['access-control-allow-headers']).toMatch(/^Authorization,Content-Type,.*,X-Stainless-Timeout$/);
    }
  });

  it('leaves a request of its own origin alone', async () => {
    const reply = await inject('GET', '/', { origin: 'http://127.0.0.1:11434' });
    expect([reply.statusCode, reply.headers['access-control-allow-origin']]).toEqual([200, undefined]);
  });

  it('allows every origin by *', async () => {
    const open = await createFixture({ withModels: false, environment: { OLLAMA_ORIGINS: '*' } });
    const reply = await open.app.inject({ url: '/', headers: { host: 'localhost', origin: 'http://evil.example' } });
    expect([reply.statusCode, reply.headers['access-control-allow-origin'], reply.headers.vary]).toEqual([200, '*', undefined]);
    await open.close();
  });
});

describe('host check', () => {
  it.each([
    'localhost',
    'LOCALHOST:11434',
    'a.localhost',
    'nas.local',
    'x.internal',
    '192.168.1.5:80',
    '10.0.0.1',
    '[::1]:11434',
    '0.0.0.0',
  ])('allows %s', async (host) => {
    expect((await inject('GET', '/', { host })).statusCode).toBe(200);
  });

  it.each(['evil.example', 'localhost.evil.example', '8.8.8.8', 'evil.example:11434'])('refuses %s', async (host) => {
    const reply = await inject('GET', '/', { host });
    expect([reply.statusCode, reply.body]).toEqual([403, '']);
  });

  it('answers OPTIONS to an allowed name with 204', async () => {
    const reply = await inject('OPTIONS', '/api/chat', { host: 'localhost' });
    expect([reply.statusCode, reply.body, reply.headers.allow]).toEqual([204, '', 'POST']);
  });

  it('is off when the server listens beyond this machine', async () => {
    const open = await createFixture({ withModels: false, environment: { OLLAMA_HOST: '0.0.0.0' } });
    expect((await open.app.inject({ url: '/', headers: { host: 'evil.example' } })).statusCode).toBe(200);
    await open.close();
  });
});

describe('JSON bodies', () => {
  const error = async (url: string, body: string): Promise<unknown> => {
    const reply = await fixture.post(url, body);
    return [reply.statusCode, reply.json<{ error: string }>().error];
  };

  it.each([
    ['', 'missing request body'],
    [' \n', 'missing request body'],
    ['{bad', "invalid character 'b' looking for beginning of object key string"],
    ['{"model":"x"', 'unexpected EOF'],
    ['{"model":"x",}', "invalid character '}' looking for beginning of object key string"],
    ['{"model" "x"}', `invalid character '"' after object key`],
    ['{"context":[1 2]}', "invalid character '2' after array element"],
    ['{"raw":tru}', "invalid character '}' in literal true (expecting 'e')"],
    ['[]', 'json: cannot unmarshal array into Go value of type api.GenerateRequest'],
    ['\ufeff{}', "invalid character 'ï' looking for beginning of value"],
    ['{"stream":"yes"}', 'json: cannot unmarshal string into Go struct field GenerateRequest.stream of type bool'],
    ['{"model":5}', 'json: cannot unmarshal number into Go struct field GenerateRequest.model of type string'],
    ['{"context":[1,"a"]}', 'json: cannot unmarshal string into Go struct field GenerateRequest.context of type int'],
    ['{"context":[1.5]}', 'json: cannot unmarshal number 1.5 into Go struct field GenerateRequest.context of type int'],
    [
      '{"options":[]}',
      'json: cannot unmarshal array into Go struct field GenerateRequest.options of type map[string]interface {}',
    ],
    ['{"model":"x","images":["!!"]}', 'illegal base64 data at input byte 0'],
    ['{"model":"x","images":["QUJ"]}', 'illegal base64 data at input byte 0'],
    ['{"keep_alive":"5"}', 'time: missing unit in duration "5"'],
    ['{"keep_alive":"abc"}', 'time: invalid duration "abc"'],
    ['{"keep_alive":true}', "Unsupported type: 'bool'"],
    ['{"think":"x"}', 'invalid think value: "x" (must be "high", "medium", "low", "max", true, or false)'],
    ['{"think":3}', 'think must be a boolean or string ("high", "medium", "low", "max", true, or false)'],
    ['{"top_logprobs":21}', 'top_logprobs must be between 0 and 20'],
    ['{"top_logprobs":-1}', 'top_logprobs must be between 0 and 20'],
  ])('answers 400 to %j', async (body, text) => {
    expect(await error('/api/generate', body)).toEqual([400, text]);
  });

  it('words errors inside messages and tools', async () => {
    const content = '{"model":"x","messages":[{"role":"user","content":[{"type":"text"}]}]}';
    expect(await error('/api/chat', content)).toEqual([
      400,
      'json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string',
    ]);
    const unclosed = "Value looks like object, but can't find closing '}' symbol";
    const call = '{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}]}';
    expect(await error('/api/chat', call)).toEqual([400, unclosed]);
    const tool = '{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":[]}}}]}';
    expect(await error('/api/chat', tool)).toEqual([400, unclosed]);
  });

  it('refuses hostile nesting without overflowing the stack', async () => {
    expect(await error('/api/chat', '['.repeat(200_000))).toEqual([400, 'exceeded max depth']);
  });

  it('takes null, other cases of keys, trailing bytes and any content type', async () => {
    expect(await error('/api/chat', 'null')).toEqual([400, 'model is required']);
    expect(await error('/api/generate', '{"MODEL":"Nope","extra":1} trailing')).toEqual([404, "model 'Nope' not found"]);
    for (const type of ['text/plain', ';;;', 'application/x-www-form-urlencoded']) {
      const reply = await fixture.app.inject({
        method: 'POST',
        url: '/api/show',
        headers: { 'content-type': type },
        payload: '{"model":"m"}',
      });
      expect([reply.statusCode, reply.body]).toEqual([404, `{"error":"model 'm:latest' not found"}`]);
    }
  });

  it('escapes markup as Go does', async () => {
    const reply = await fixture.post('/api/generate', { model: '<a&b>' });
    expect(reply.body).toBe('{"error":"invalid model name"}');
    const copy = await fixture.post('/api/copy', { source: '<&>', destination: 'x' });
    expect(copy.body).toBe('{"error":"source \\"\\u003c\\u0026\\u003e\\" is invalid"}');
  });
});
