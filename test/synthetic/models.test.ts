// Blobs, create, tags, show, ps, copy and delete over a real store in a temporary folder.
import { beforeEach, afterEach, describe, expect, it } from 'vitest';
import { createFixture, digestOf, goTemplate, jinjaTemplate, lines, type Fixture } from './server-fixture.js';

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture();
});
afterEach(() => fixture.close());

interface ListedModel {
  readonly name: string;
  readonly details: Record<string, unknown>;
  readonly capabilities: string[];
}

async function errorOf(url: string, body: unknown, method: 'POST' | 'DELETE' = 'POST'): Promise<unknown> {
  const reply = await fixture.app.inject({ method, url, payload: JSON.stringify(body) });
  return [reply.statusCode, reply.json<{ error: string }>().error];
}

async function tags(): Promise<ListedModel[]> {
  return (await fixture.app.inject('/api/tags')).json<{ models: ListedModel[] }>().models;
}

describe('blobs', () => {
  const bytes = Buffer.from('blob');
  const digest = digestOf(bytes);
  const put = async (url: string): Promise<unknown> => {
    const reply = await fixture.app.inject({ method: 'POST', url: `/api/blobs/${url}`, payload: bytes });
    return [reply.statusCode, reply.body];
  };
  const head = async (url: string): Promise<number> =>
    (await fixture.app.inject({ method: 'HEAD', url: `/api/blobs/${url}` })).statusCode;

  it('stores a blob once', async () => {
    expect(await head(digest)).toBe(404);
    expect(await put(digest)).toEqual([201, '']);
    expect(await put(digest)).toEqual([200, '']);
    expect(await head(digest)).toBe(200);
  });

  it('refuses a bad or a wrong digest', async () => {
    expect(await head('sha256:12')).toBe(400);
    expect(await put('sha256:12')).toEqual([400, '{"error":"invalid digest format"}']);
    const wrong = `sha256:${'a'.repeat(64)}`;
    expect(await put(wrong)).toEqual([400, JSON.stringify({ error: `digest mismatch, expected "${wrong}", got "${digest}"` })]);
    const upperCase = digest.toUpperCase().replace('SHA256', 'sha256');
    expect(await put(upperCase)).toEqual([400, expect.stringContaining('digest mismatch') as string]);
    expect(await put('sha256:..%5c..%5cetc')).toEqual([400, '{"error":"invalid digest format"}']);
  });
});

describe('create', () => {
  it.each([
    [{}, 400, 'invalid model name'],
    [{ model: 'a b', from: 'plain' }, 400, 'invalid model name'],
    [{ model: 'x' }, 400, "neither 'from' or 'files' was specified"],
    [{ model: 'x', files: {} }, 400, 'unknown type'],
    [{ model: 'x', files: { '/etc/passwd': 'sha256:1' } }, 400, 'file path must be relative'],
    [{ model: 'x', files: { '../a': 'sha256:1' } }, 400, 'file path must be relative'],
    [{ model: 'x', files: { a: '' } }, 400, 'invalid digest format'],
    [{ model: 'x', from: 'plain', template: '{{ .X' }, 400, 'template error: template: :1: unclosed action'],
    [{ model: 'x', from: 'nope' }, 500, 'pull model manifest: file does not exist'],
    [{ model: 'x', from: 'plain', license: 5 }, 500, 'json: cannot unmarshal number into Go value of type []string'],
  ])('%j', async (body, status, error) => {
    expect(await errorOf('/api/create', body)).toEqual([status, error]);
  });

  it('streams statuses and ends with success', async () => {
    const reply = await fixture.post('/api/create', { name: 'derived', from: 'plain', system: 'Hi' });
    expect(reply.headers['content-type']).toBe('application/x-ndjson');
    const statuses = lines(reply).map((line) => String(line['status']));
    expect(statuses.at(-1)).toBe('success');
    expect(statuses).toContain('writing manifest');
    const whole = await fixture.post('/api/create', { model: 'derived2', from: 'plain', stream: false });
    expect([whole.statusCode, whole.body]).toEqual([200, '{"status":"success"}']);
  });
});

describe('tags and show', () => {
  it('lists models with their capabilities', async () => {
    const models = await tags();
    expect(models.map(({ name }) => name).sort()).toEqual(['chat:latest', 'embed:latest', 'insert:latest', 'plain:latest']);
    const byName = Object.fromEntries(models.map((model) => [model.name, model]));
    expect(byName['chat:latest']?.capabilities).toEqual(['tools', 'thinking', 'completion']);
    expect(byName['insert:latest']?.capabilities).toEqual(['completion', 'insert']);
    expect(byName['embed:latest']?.capabilities).toEqual(['embedding']);
    expect(Object.keys(models[0] ?? {}).join()).toBe('name,model,modified_at,size,digest,details,capabilities');
    expect(byName['plain:latest']).toMatchObject({
      digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      modified_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/) as string,
      details: {
        parent_model: '',
        format: 'gguf',
        family: 'llama',
        families: ['llama'],
        context_length: 4096,
        embedding_length: 32,
      },
    });
  });

  it('shows a model', async () => {
    const show = (await fixture.post('/api/show', { name: 'CHAT' })).json<Record<string, unknown>>();
    const keys = ['modelfile', 'template', 'details', 'model_info', 'tensors', 'capabilities', 'modified_at'];
    expect(Object.keys(show)).toEqual(keys);
    expect(show).toMatchObject({ template: jinjaTemplate, capabilities: ['tools', 'thinking', 'completion'] });
    const info = show['model_info'] as Record<string, unknown>;
    expect(info).toMatchObject({
      'general.architecture': 'llama',
      'llama.context_length': 4096,
      'tokenizer.ggml.tokens': null,
      'llama.attention.layer_norm_rms_epsilon': 1e-5,
      'general.parameter_count': expect.any(Number) as number,
    });
    expect(info).not.toHaveProperty(['tokenizer.chat_template']);
    expect(show['tensors']).toContainEqual({ name: 'token_embd.weight', type: 'F32', shape: [32, 8] });
    const verbose = (await fixture.post('/api/show', { model: 'chat', verbose: true })).json<{ model_info: object }>();
    expect(verbose.model_info).toMatchObject({ 'tokenizer.ggml.merges': ['a b'] });
  });

  it('shows what a Modelfile has set, and the overrides of the request', async () => {
    const parameters = { temperature: 0.7, stop: ['A', 'B'], num_ctx: 4096 };
    await fixture.post('/api/create', { model: 'full', from: 'insert', parameters, license: ['L1', 'L2'], stream: false });
    const show = (await fixture.post('/api/show', { model: 'full' })).json<Record<string, string>>();
    expect(show).toMatchObject({ license: 'L1\nL2', template: goTemplate, system: 'be brief' });
    const pad = (name: string): string => name.padEnd(31);
    expect(show['parameters']?.split('\n').sort()).toEqual(
      [`${pad('temperature')}0.7`, `${pad('stop')}"A"`, `${pad('stop')}"B"`, `${pad('num_ctx')}4096`].sort(),
    );
    const other = (await fixture.post('/api/show', { model: 'full', system: 'Other' })).json<Record<string, string>>();
    expect(other['system']).toBe('Other');
    expect(other['modelfile']).toContain('SYSTEM Other');
  });

  it.each([
    [{}, 400, 'model is required'],
    [{ model: 'a b' }, 400, 'invalid model name'],
    [{ model: 'nope' }, 404, "model 'nope:latest' not found"],
    [{ model: 'nope:local' }, 404, "model 'nope:latest' not found"],
  ])('show %j', async (body, status, error) => {
    expect(await errorOf('/api/show', body)).toEqual([status, error]);
  });

  it('gives Copilot the name that it asked for', async () => {
    const reply = await fixture.app.inject({
      method: 'POST',
      url: '/api/show',
      headers: { 'user-agent': 'GitHubCopilotChat/1' },
      payload: '{"model":"chat"}',
    });
    expect(reply.json<{ model_info: object }>().model_info).toMatchObject({ 'general.basename': 'chat' });
  });
});

describe('ps', () => {
  it('lists loaded models, the last to expire first, and for ever as a far year', async () => {
    await fixture.post('/api/generate', { model: 'plain', keep_alive: 60 });
    await fixture.post('/api/generate', { model: 'chat', keep_alive: -1, options: { num_ctx: 512 } });
    const { models } = (await fixture.app.inject('/api/ps')).json<{ models: Record<string, unknown>[] }>();
    expect(models.map((model) => model['name'])).toEqual(['chat:latest', 'plain:latest']);
    expect(Object.keys(models[0] ?? {}).join()).toBe('name,model,size,digest,details,expires_at,size_vram,context_length');
    expect(models[0]).toMatchObject({ context_length: 512, size_vram: 0, details: { family: 'llama', parent_model: '' } });
    expect(Number(String(models[0]?.['expires_at']).slice(0, 4))).toBeGreaterThan(2300);
    await fixture.post('/api/generate', { model: 'chat', keep_alive: 0 });
    const after = (await fixture.app.inject('/api/ps')).json<{ models: unknown[] }>();
    expect(after.models).toHaveLength(1);
  });
});

describe('copy and delete', () => {
  it('copies and deletes with empty replies', async () => {
    const copy = await fixture.post('/api/copy', { source: 'plain', destination: 'ada/copy:v1' });
    expect([copy.statusCode, copy.body]).toEqual([200, '']);
    expect((await tags()).map(({ name }) => name)).toContain('ada/copy:v1');
    const removed = await fixture.app.inject({ method: 'DELETE', url: '/api/delete', payload: '{"name":"ADA/copy:v1"}' });
    expect([removed.statusCode, removed.body]).toEqual([200, '']);
    expect((await tags()).map(({ name }) => name)).not.toContain('ada/copy:v1');
  });

  it.each([
    ['/api/copy', {}, 400, 'source "" is invalid'],
    ['/api/copy', { source: 'plain', destination: 'a b' }, 400, 'destination "a b" is invalid'],
    ['/api/copy', { source: 'nope', destination: 'x' }, 404, 'model "nope" not found'],
    ['/api/delete', {}, 400, 'model is required'],
    ['/api/delete', { model: 'a b' }, 400, 'name "a b" is invalid'],
    ['/api/delete', { model: 'nope' }, 404, "model 'nope' not found"],
  ])('%s %j', async (url, body, status, error) => {
    expect(await errorOf(url, body, url === '/api/delete' ? 'DELETE' : 'POST')).toEqual([status, error]);
  });
});
