// A server over a real store in a temporary folder and a fake pool, with four small models in it.
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { loadConfig, type Config } from '../../src/config/index.js';
import { createLogger } from '../../src/log/index.js';
import { Metrics } from '../../src/metrics/index.js';
import { describeGgufWeights, FolderModelStore } from '../../src/registry/index.js';
import { createApp } from '../../src/server/index.js';
import { FakeRunnerPool, type FakeRunnerPoolOptions } from '../doubles/fake-runner-pool.js';
import { buildModelGguf } from '../fixtures/build-gguf.js';

/** Writes messages as `role: content` lines, tools first; it knows thinking and tools by Ollama's markers. */
export const jinjaTemplate = [
  '{%- if tools %}tools={{ tools | length }}\n{% endif -%}',
  '{%- for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor -%}',
  '{#- <tool_call> <think></think> -#}',
  "{%- if enable_thinking is defined %}think={{ 'on' if enable_thinking else 'off' }}{% if reasoning_effort is defined %}/{{ reasoning_effort }}{% endif %}{{ '\\n' }}{% endif -%}",
  'assistant: ',
].join('');

export const goTemplate =
  '{{ if .Suffix }}PRE {{ .Prompt }} SUF {{ .Suffix }} MID{{ else }}[{{ .System }}|{{ .Prompt }}]{{ end }}';

/** Each of these is `<name>:latest`. */
export const models = {
  /** Chat template in the weights, with tools and thinking. */
  chat: { metadata: { 'tokenizer.chat_template': jinjaTemplate } },
  /** No template at all. */
  plain: {},
  /** Go template with a place for a suffix. */
  insert: {},
  embed: { metadata: { 'llama.pooling_type': 1 } },
} as const;

export interface Fixture {
  readonly app: FastifyInstance;
  readonly pool: FakeRunnerPool;
  readonly store: FolderModelStore;
  readonly config: Config;
  readonly metrics: Metrics;
  post(url: string, body: unknown): Promise<LightMyRequestResponse>;
  close(): Promise<void>;
}

export interface FixtureOptions extends FakeRunnerPoolOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly withModels?: boolean;
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export async function createStore(folder: string): Promise<FolderModelStore> {
  return new FolderModelStore({
    folder,
    embeddedFolder: path.join(folder, 'no-embedded-models'),
    cacheDirectory: path.join(folder, 'cache'),
    isPruneDisabled: false,
    describeWeights: describeGgufWeights,
    logger: createLogger({ level: 'silent' }),
  });
}

export async function createFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tars-server-'));
  const config = loadConfig({ HOME: folder, ...options.environment });
  const pool = new FakeRunnerPool(options);
  const store = await createStore(folder);
  const metrics = new Metrics();
  const app = createApp({ config, store, pool, logger: createLogger({ level: 'silent' }), metrics });
  const post = (url: string, body: unknown): Promise<LightMyRequestResponse> =>
    app.inject({ method: 'POST', url, payload: typeof body === 'string' ? body : JSON.stringify(body) });
  const close = async (): Promise<void> => {
    await app.close();
    await rm(folder, { recursive: true, force: true });
  };
  if (options.withModels ?? true) {
    await addModels(app, post);
  }
  return { app, pool, store, config, metrics, post, close };
}

async function addModels(app: FastifyInstance, post: Fixture['post']): Promise<void> {
  for (const [name, spec] of Object.entries(models)) {
    const weights = buildModelGguf({ ...spec, contextLength: 4096 });
    const digest = digestOf(weights);
    await app.inject({ method: 'POST', url: `/api/blobs/${digest}`, payload: weights });
    const template = name === 'insert' ? { template: goTemplate, system: 'be brief' } : {};
    const reply = await post('/api/create', { model: name, files: { 'model.gguf': digest }, stream: false, ...template });
    if (reply.statusCode !== 200) {
      throw new Error(`${name}: ${reply.body}`);
    }
  }
}

/** Lines of a streamed reply as objects; every line must be complete. */
export function lines(reply: { readonly body: string }): Record<string, unknown>[] {
  if (!reply.body.endsWith('\n')) {
    throw new Error('the last line is not terminated');
  }
  return reply.body
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
