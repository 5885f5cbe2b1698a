// /api/generate and /api/chat over a pool whose answer is a formula of the prompt.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TarsError } from '../../src/errors/index.js';
import { jsonObjectGrammar, schemaGrammar } from '../../src/sampling/index.js';
import { createFixture, lines, type Fixture } from './server-fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
});
beforeEach(() => {
  fixture.pool.calls.length = 0;
  fixture.pool.requests.length = 0;
  fixture.pool.failure = undefined;
});
afterAll(async () => {
  expect(fixture.pool.numHeld).toBe(0);
  await fixture.close();
});

interface Answer {
  readonly status: number;
  readonly type: unknown;
  readonly body: Record<string, unknown>;
}

async function post(url: string, body: Record<string, unknown>): Promise<Answer> {
  const reply = await fixture.post(url, body);
  return { status: reply.statusCode, type: reply.headers['content-type'], body: reply.json() };
}

const generate = (body: Record<string, unknown>): Promise<Answer> => post('/api/generate', { stream: false, ...body });
const chat = (body: Record<string, unknown>): Promise<Answer> => post('/api/chat', { stream: false, ...body });
const user = (content: string): { role: string; content: string } => ({ role: 'user', content });
const lastPrompt = (): unknown => fixture.pool.requests.at(-1)?.prompt;
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const tool = {
  type: 'function',
  function: { name: 'add', parameters: { type: 'object', properties: { a: { type: 'number' } } } },
};

describe('errors before the first piece', () => {
  it.each([
    ['generate', {}, 404, "model '' not found"],
    ['chat', {}, 400, 'model is required'],
    ['generate', { model: 'a b' }, 400, 'invalid model name'],
    ['chat', { model: ':x' }, 400, 'invalid model name'],
    ['generate', { model: 'Nope', prompt: 'x' }, 404, "model 'Nope' not found"],
    ['chat', { model: 'nope:v1', messages: [] }, 404, "model 'nope:v1' not found"],
    ['generate', { model: 'x:cloud:local' }, 400, 'use either :local or :cloud, not both: "x:cloud:local"'],
    [
      'generate',
      { model: 'plain', prompt: 'x', raw: true, system: 's' },
      400,
      'raw mode does not support template, system, or context',
    ],
    ['generate', { model: 'plain', prompt: 'x', think: true }, 400, '"plain" does not support thinking'],
    ['chat', { model: 'plain', messages: [user('x')], think: 'low' }, 400, '"plain" does not support thinking'],
    ['generate', { model: 'embed', prompt: 'x' }, 400, '"embed" does not support generate'],
    ['chat', { model: 'embed', messages: [user('x')] }, 400, '"embed" does not support chat'],
    [
      'generate',
      { model: 'plain', prompt: 'x', suffix: 'y' },
      400,
      'registry.ollama.ai/library/plain:latest does not support insert',
    ],
    [
      'chat',
      { model: 'plain', messages: [user('x')], tools: [tool] },
      400,
      'registry.ollama.ai/library/plain:latest does not support tools',
    ],
    ['generate', { model: 'plain', prompt: 'x', options: { num_ctx: '1' } }, 500, 'option "num_ctx" must be of type integer'],
    ['generate', { model: 'plain', options: { temperature: 'hot' } }, 500, 'option "temperature" must be of type float32'],
    ['chat', { model: 'plain', options: { use_mmap: 1 } }, 500, 'option "use_mmap" must be of type boolean'],
    ['chat', { model: 'plain', options: { stop: 5 } }, 500, 'option "stop" must be of type array'],
    ['chat', { model: 'plain', options: { stop: [5] } }, 500, 'option "stop" must be of an array of strings'],
    [
      'generate',
      { model: 'plain', prompt: 'x', format: 'xml' },
      500,
      'invalid format: "\\"xml\\""; expected "json" or a valid JSON Schema object',
    ],
    [
      'chat',
      { model: 'plain', messages: [user('x')], format: { type: 'array', items: { not: {} } } },
      400,
      'the JSON schema in "format" cannot be followed: #/items: the keyword "not" is not supported',
    ],
    [
      'generate',
      { model: 'plain', prompt: 'x', template: '{{ .Prompt' },
      500,
      expect.stringContaining('template: :1: ') as string,
    ],
  ])('%s %j', async (operation, body, status, error) => {
    const reply = await post(`/api/${operation}`, body);
    expect(reply).toEqual({ status, type: 'application/json; charset=utf-8', body: { error } });
  });

  it('refuses images in the words of the engine', async () => {
    const reply = await chat({ model: 'chat', messages: [{ ...user('x'), images: ['QUJD'] }] });
    expect(reply.status).toBe(500);
    expect(JSON.parse(String(reply.body['error']))).toMatchObject({ error: { code: 500, type: 'server_error' } });
    const generated = await generate({ model: 'chat', prompt: 'x', images: ['QUJD'] });
    expect(generated.status).toBe(400);
    expect(JSON.parse(String(generated.body['error']))).toMatchObject({ error: { code: 400, type: 'invalid_request_error' } });
  });

  it.each([
    [{ repeat_penalty: 0 }, 'penalty_repeat must be finite and greater than 0'],
    [{ repeat_last_n: -5 }, "Field 'repeat_last_n': Value must be between 0 <= value <= 2147483647, but got -5"],
  ])('refuses the sampler values that the engine of Ollama refuses: %j', async (options, text) => {
    const reply = await generate({ model: 'plain', prompt: 'x', options });
    expect(reply.status).toBe(400);
    expect(reply.body['error']).toContain(text);
  });

  it('passes on what loading says, with its status', async () => {
    fixture.pool.acquireError = new TarsError('SERVER_BUSY');
    expect(await generate({ model: 'plain', prompt: 'x' })).toMatchObject({
      status: 503,
      body: { error: 'server busy, please try again.  maximum pending requests exceeded' },
    });
    fixture.pool.failure = { afterPieces: 0, error: new TarsError('PROMPT_TOO_LONG') };
    const reply = await fixture.post('/api/chat', { model: 'plain', messages: [user('x')] });
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([400, 'application/json; charset=utf-8']);
    expect(fixture.pool.calls).toEqual(['acquire plain:latest', 'acquire plain:latest', 'generate', 'release']);
  });
});

describe('load and unload', () => {
  it.each([
    ['generate', {}, '{"model":"PLAIN","created_at":"T","response":"","done":true,"done_reason":"load"}'],
    ['generate', { keep_alive: 0 }, '{"model":"PLAIN","created_at":"T","response":"","done":true,"done_reason":"unload"}'],
    [
      'chat',
      {},
      '{"model":"PLAIN","created_at":"T","message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}',
    ],
    [
      'chat',
      { keep_alive: '0s' },
      '{"model":"PLAIN","created_at":"T","message":{"role":"assistant","content":""},"done":true,"done_reason":"unload"}',
    ],
  ])('%s %j answers one JSON object although it streams', async (operation, body, expected) => {
    const reply = await fixture.post(`/api/${operation}`, { model: 'PLAIN', stream: true, ...body });
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(reply.body.replace(/"created_at":"[^"]+"/, '"created_at":"T"')).toBe(expected);
  });

  it('loads with the options of the request, and unloads without loading', async () => {
    await generate({ model: 'plain', options: { num_ctx: 2048.0, num_gpu: null }, keep_alive: 60 });
    expect(fixture.pool.loads.at(-1)).toMatchObject({ numCtx: 2048, numGpu: undefined });
    await chat({ model: 'plain', keep_alive: 0 });
    expect(fixture.pool.calls).toEqual(['acquire plain:latest', 'release', 'unload plain:latest']);
  });

  it.each([
    [undefined, undefined],
    [null, undefined],
    [5, 5000],
    [0.5, 500],
    [-1, Infinity],
    ['10m', 600_000],
    ['-1m', Infinity],
    ['1h30m', 5_400_000],
  ])('keep_alive %j', async (keep_alive, expected) => {
    await generate({ model: 'plain', keep_alive });
    expect(fixture.pool.keepAlives.at(-1)).toBe(expected);
  });
});

describe('generate', () => {
  it('has the keys of the wire in order, and metrics only at the end', async () => {
    const reply = await fixture.post('/api/generate', { model: 'Plain', prompt: '<<Hello, world <b> & >>' });
    expect(reply.headers['content-type']).toBe('application/x-ndjson');
    expect(reply.body).toContain('\\u003cb\\u003e');
    const chunks = lines(reply);
    expect(chunks.slice(0, -1).every((chunk) => Object.keys(chunk).join() === 'model,created_at,response,done')).toBe(true);
    expect(Object.keys(chunks.at(-1) ?? {}).join()).toBe(
      'model,created_at,response,done,done_reason,context,total_duration,load_duration,prompt_eval_count,prompt_eval_duration,eval_count,eval_duration',
    );
    expect(chunks.at(-1)).toMatchObject({ response: '', done: true, done_reason: 'stop', eval_count: 5, load_duration: 1 });
    expect(chunks[0]).toMatchObject({ model: 'Plain', response: 'Hell', done: false });
    expect(chunks.every((chunk) => timestamp.test(String(chunk['created_at'])))).toBe(true);
  });

  it('gives the same streamed and whole', async () => {
    const body = { model: 'chat', prompt: '<<<think>why</think>Because of this.>>', logprobs: true };
    const streamed = lines(await fixture.post('/api/generate', body));
    const whole = (await generate(body)).body;
    const joined = (key: string): string => streamed.map((chunk) => (chunk[key] as string | undefined) ?? '').join('');
    expect([joined('response'), joined('thinking')]).toEqual([whole['response'], whole['thinking']]);
    expect([whole['response'], whole['thinking']]).toEqual(['Because of this.', 'why']);
    expect(streamed.flatMap((chunk) => chunk['logprobs'] ?? [])).toEqual(whole['logprobs']);
    expect(streamed.at(-1)?.['context']).toEqual(whole['context']);
    expect(Object.keys(whole).join()).toMatch(
      /^model,created_at,response,thinking,done,done_reason,context,total_duration,.*,logprobs$/,
    );
  });

  it('renders with the chat template, with system, and without it when raw', async () => {
    await generate({ model: 'chat', prompt: 'hi', system: 'be kind', think: false });
    expect(lastPrompt()).toBe('system: be kind\nuser: hi\nthink=off\nassistant: ');
    const { body } = await generate({ model: 'chat', prompt: 'hi', raw: true });
    expect(lastPrompt()).toBe('hi');
    expect(body).not.toHaveProperty('context');
    await generate({ model: 'plain', prompt: 'hi' });
    expect(lastPrompt()).toBe('hi');
    await generate({ model: 'insert', prompt: 'hi' });
    expect(lastPrompt()).toBe('[be brief|hi]');
    await generate({ model: 'insert', prompt: 'hi', template: 'T({{ .System }})({{ .Prompt }})', system: 's' });
    expect(lastPrompt()).toBe('T(s)(hi)');
  });

  it('fills in the middle', async () => {
    await generate({ model: 'insert', prompt: 'def f(', suffix: 'return' });
    expect(lastPrompt()).toBe('PRE def f( SUF return MID');
  });

  it('continues from a context', async () => {
    const first = await generate({ model: 'plain', prompt: '<<one>>' });
    expect(first.body['context']).toEqual([...Buffer.from('<<one>>one')]);
    await generate({ model: 'plain', prompt: 'two', context: first.body['context'] });
    expect(lastPrompt()).toBe('<<one>>onetwo');
  });

  it('only renders for _debug_render_only', async () => {
    const { body } = await generate({ model: 'plain', prompt: 'hi', _debug_render_only: true });
    expect(body).toMatchObject({ response: '', done: false, _debug_info: { rendered_template: 'hi' } });
    expect(fixture.pool.calls).toEqual(['acquire plain:latest', 'release']);
  });
});

describe('options', () => {
  it('merges defaults, model parameters and the request', async () => {
    await fixture.post('/api/create', {
      model: 'tuned',
      from: 'plain',
      parameters: { temperature: 0.1, top_k: 5, stop: ['A'] },
      stream: false,
    });
    await generate({ model: 'tuned', prompt: 'x', options: { top_k: 7.9, seed: 42, unknown: {}, mirostat: 1, min_p: null } });
    expect(fixture.pool.requests.at(-1)).toMatchObject({
      sampling: { temperature: 0.1, topK: 7, seed: 42, topP: 0.9, minP: 0, repeatPenalty: 1 },
      stop: ['A'],
      numPredict: -1,
      numKeep: 4,
      shift: true,
      truncate: true,
    });
    await generate({ model: 'tuned', prompt: 'x', options: { stop: 'B', num_predict: 0 }, truncate: false, shift: false });
    expect(fixture.pool.requests.at(-1)).toMatchObject({ stop: ['B'], numPredict: -1, shift: false, truncate: false });
  });

  it('stops at num_predict with the reason length', async () => {
    const { body } = await generate({ model: 'plain', prompt: '<<0123456789>>', options: { num_predict: 2 } });
    expect(body).toMatchObject({ response: '01234567', done_reason: 'length', eval_count: 2 });
  });

  it('reports alternatives only when asked', async () => {
    const { body } = await generate({ model: 'plain', prompt: '<<ab>>', logprobs: true, top_logprobs: 2 });
    const entry = { token: 'ab', logprob: -0.5, bytes: [97, 98] };
    expect(body['logprobs']).toEqual([{ ...entry, top_logprobs: [entry, entry] }]);
    const without = await generate({ model: 'plain', prompt: '<<ab>>', top_logprobs: 2 });
    expect(without.body).not.toHaveProperty('logprobs');
  });
});

describe('chat', () => {
  it('streams messages and ends with the metrics', async () => {
    const reply = await fixture.post('/api/chat', { model: 'chat', messages: [user('<<<think>\nhm\n</think>\n\nHi you>>')] });
    const chunks = lines(reply);
    expect(Object.keys(chunks[0] ?? {}).join()).toBe('model,created_at,message,done');
    expect(Object.keys(chunks.at(-1) ?? {}).join()).toBe(
      'model,created_at,message,done,done_reason,total_duration,load_duration,prompt_eval_count,prompt_eval_duration,eval_count,eval_duration',
    );
    expect(chunks.at(-1)).toMatchObject({ message: { role: 'assistant', content: '' }, done_reason: 'stop' });
    const whole = await chat({ model: 'chat', messages: [user('<<<think>\nhm\n</think>\n\nHi you>>')] });
    expect(whole.body['message']).toEqual({ role: 'assistant', content: 'Hi you', thinking: 'hm\n' });
    expect(reply.body).not.toContain('think>');
    const parts = chunks.map((chunk) => chunk['message'] as { content: string; thinking?: string });
    expect(parts.map(({ content }) => content).join('')).toBe('Hi you');
    expect(parts.map(({ thinking = '' }) => thinking).join('')).toBe('hm\n');
  });

  it('thinks by default where it can, at a level when asked', async () => {
    await chat({ model: 'chat', messages: [user('x')] });
    expect(lastPrompt()).toBe('user: x\nthink=on\nassistant: ');
    await chat({ model: 'chat', messages: [user('x')], think: 'high' });
    expect(lastPrompt()).toBe('user: x\nthink=on/high\nassistant: ');
    await chat({ model: 'chat', messages: [user('x')], think: false });
    expect(lastPrompt()).toBe('user: x\nthink=off\nassistant: ');
  });

  it('reports tool calls with objects as arguments before the end', async () => {
    const answer = '<<Adding. <tool_call>{"name":"add","arguments":{"b":1,"a":2}}</tool_call>>>';
    const body = { model: 'chat', messages: [user(answer)], tools: [tool], think: false };
    const chunks = lines(await fixture.post('/api/chat', body));
    const withCall = chunks.filter((chunk) => (chunk['message'] as object & { tool_calls?: unknown }).tool_calls !== undefined);
    expect(withCall).toHaveLength(1);
    expect(withCall[0]).toMatchObject({ done: false, message: { content: '' } });
    expect(chunks.at(-1)).toMatchObject({ done: true, done_reason: 'stop' });
    const whole = await chat(body);
    expect(whole.body['message']).toEqual({
      role: 'assistant',
      content: 'Adding. ',
      tool_calls: [
        {
          id: expect.stringMatching(/^call_[a-z0-9]{8}$/) as string,
          function: { index: 0, name: 'add', arguments: { b: 1, a: 2 } },
        },
      ],
    });
    expect(JSON.stringify(whole.body['message'])).toContain('"arguments":{"b":1,"a":2}');
    expect(lastPrompt()).toMatch(/^tools=1\n/);
  });

  it('takes what clients send: empty lists, missing content, roles in capitals', async () => {
    const messages = [{ role: 'USER', images: [], tool_calls: [] }, {}, user('hi')];
    const { status } = await chat({ model: 'chat', messages, tools: [], format: '', think: false, temperature: 1 });
    expect(status).toBe(200);
    expect(lastPrompt()).toBe('user: \n: \nuser: hi\nthink=off\nassistant: ');
  });

  it('puts the stored system and messages first', async () => {
    await fixture.post('/api/create', {
      model: 'persona',
      from: 'chat',
      system: 'You are Ada.',
      messages: [user('who?'), { role: 'assistant', content: 'Ada.' }],
      stream: false,
    });
    await chat({ model: 'persona', messages: [user('hi')], think: false });
    expect(lastPrompt()).toBe('system: You are Ada.\nuser: who?\nassistant: Ada.\nuser: hi\nthink=off\nassistant: ');
    await chat({ model: 'persona', messages: [{ role: 'system', content: 'Other.' }, user('hi')], think: false });
    expect(lastPrompt()).toBe('user: who?\nassistant: Ada.\nsystem: Other.\nuser: hi\nthink=off\nassistant: ');
  });

  it('drops the oldest messages that do not fit, but no system message and never the last', async () => {
    const filler = 'x'.repeat(100);
    const messages = [{ role: 'system', content: 'S' }, ...['a', 'b', 'c', 'd'].map((name) => user(name + filler)), user('last')];
    await chat({ model: 'chat', messages, think: false, options: { num_ctx: 260 } });
    expect(lastPrompt()).toBe(`system: S\nuser: c${filler}\nuser: d${filler}\nuser: last\nthink=off\nassistant: `);
    await chat({ model: 'chat', messages, think: false, options: { num_ctx: 40 } });
    expect(lastPrompt()).toBe('system: S\nuser: last\nthink=off\nassistant: ');
    const whole = await chat({ model: 'chat', messages, think: false, options: { num_ctx: 40 }, truncate: false });
    expect(whole).toMatchObject({ status: 400, body: { error: expect.stringContaining('the prompt is longer than') as string } });
  });
});

describe('errors and metrics', () => {
  it('ends a stream that has begun with one error line and status 200', async () => {
    fixture.pool.failure = { afterPieces: 2, error: new TarsError('RUNNER_STOPPED', { reason: 'killed' }) };
    const reply = await fixture.post('/api/chat', { model: 'chat', messages: [user('<<0123456789>>')], think: false });
    const chunks = lines(reply);
    expect(reply.statusCode).toBe(200);
    expect(chunks).toHaveLength(3);
    expect(chunks[2]).toEqual({ error: expect.stringMatching(/^model runner has unexpectedly stopped.*killed$/) as string });
    expect(fixture.pool.calls).toEqual(['acquire chat:latest', 'generate', 'release']);
    const whole = await chat({ model: 'chat', messages: [user('<<0123456789>>')], think: false });
    expect(whole.status).toBe(500);
  });

  it('counts tokens and reasons by model', async () => {
    await generate({ model: 'tuned', prompt: '<<0123>>' });
    const text = (await fixture.app.inject('/metrics')).body;
    expect(text).toMatch(/tars_generation_tokens_total\{model="tuned:latest"\} [1-9]/);
    expect(text).toMatch(/tars_request_success_total\{model="tuned:latest",finished_reason="stop"\} [1-9]/);
    expect(text).toMatch(/tars_num_requests_running\{model="tuned:latest"\} 0/);
    expect(text).toMatch(/tars_request_success_total\{model="chat:latest",finished_reason="error"\} [1-9]/);
  });
});

describe('format', () => {
  it('tells the engine the grammar of JSON or of a schema, and which tags its thinking has', async () => {
    await generate({ model: 'plain', prompt: 'x', format: 'json' });
    await chat({ model: 'chat', messages: [user('x')], format: 'json' });
    await chat({ model: 'chat', messages: [user('x')], format: 'json', think: false });
    await chat({ model: 'chat', messages: [user('x')], format: '' });
    await chat({ model: 'chat', messages: [user('x')], format: { type: 'integer' }, think: false });
    const thinking = { open: '<think>', close: '</think>' };
    expect(fixture.pool.requests.map(({ format }) => format)).toEqual([
      { grammar: jsonObjectGrammar },
      { grammar: jsonObjectGrammar, thinking },
      { grammar: jsonObjectGrammar },
      undefined,
      { grammar: schemaGrammar({ type: 'integer' }) },
    ]);
  });
});

describe('prompt_logprobs', () => {
  it('are on the last object of a generate reply when asked for', async () => {
    const { body } = await generate({ model: 'plain', raw: true, prompt: 'abc', prompt_logprobs: true });
    expect(body['prompt_logprobs']).toEqual(['b', 'c'].map((token) => ({ token, logprob: -0.5, bytes: [token.charCodeAt(0)] })));
    expect((await generate({ model: 'plain', raw: true, prompt: 'abc' })).body).not.toHaveProperty('prompt_logprobs');
  });
});
