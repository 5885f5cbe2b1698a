import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TarsError } from '../errors/index.js';
import { FolderModelStore } from './folder-model-store.js';
import { formatModelfile, parseModelfile } from './modelfile.js';
import { modelfileOfModel } from './modelfile-of-model.js';
import { parseModelName } from './name.js';
import type { CreateRequest, ModelName, ProgressStatus } from './types.js';

let root = '';
let warnings: string[] = [];

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'tars-store-'));
  warnings = [];
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function createStore(options: { isPruneDisabled?: boolean; describe?: () => void } = {}): FolderModelStore {
  return new FolderModelStore({
    folder: path.join(root, 'models'),
    embeddedFolder: path.join(root, 'embedded'),
    cacheDirectory: path.join(root, 'cache'),
    isPruneDisabled: options.isPruneDisabled ?? false,
    describeWeights: async (filePath) => {
      options.describe?.();
      return {
        format: 'gguf',
        family: filePath.endsWith('clip') ? 'clip' : 'llama',
        parameterCount: 134_515_008,
        fileType: 'Q4_1',
        contextLength: 2048,
      };
    },
    logger: { info: () => {}, warn: (_details, message) => warnings.push(message) },
  });
}

function named(text: string): ModelName {
  const name = parseModelName(text);
  if (name === undefined) {
    throw new Error(`bad name ${text}`);
  }
  return name;
}

const digestOfText = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

async function upload(store: FolderModelStore, content = 'GGUF weights'): Promise<string> {
  const digest = digestOfText(content);
  await store.putBlob(digest, Readable.from([Buffer.from(content)]));
  return digest;
}

async function create(store: FolderModelStore, request: CreateRequest): Promise<string[]> {
  const statuses: ProgressStatus[] = [];
  await store.create(request, (status) => statuses.push(status), new AbortController().signal);
  return statuses.map(({ status }) => status);
}

function embed(name: string, extras: object = {}): void {
  const folder = path.join(root, 'embedded', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.gguf`), 'GGUF embedded');
  writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(extras));
}

const blobs = (): string[] => readdirSync(path.join(root, 'models', 'blobs')).sort();
const manifestPath = (name: string): string =>
  path.join(root, 'models', 'manifests', 'registry.ollama.ai', 'library', name, 'latest');

describe('FolderModelStore', () => {
  it('is empty before anything is stored', async () => {
    const store = createStore();
    await store.prepare();
    expect(await store.list()).toEqual([]);
    expect(await store.get(named('m'))).toBeUndefined();
  });

  it('creates a model from an uploaded blob and reads it back', async () => {
    const store = createStore();
    const digest = await upload(store);
    const statuses = await create(store, {
      name: named('Mine'),
      files: { 'a.gguf': digest },
      system: 'Be brief.',
      template: '{{ .Prompt }}',
      licenses: ['MIT'],
      parameters: { temperature: 0.5, stop: ['a', 'b'] },
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(statuses[0]).toBe('parsing GGUF');
    expect(statuses[1]).toBe(`using existing layer ${digest}`);
    expect(statuses.slice(2, 7).every((status) => status.startsWith('creating new layer sha256:'))).toBe(true);
    expect(statuses.slice(7)).toEqual(['writing manifest', 'success']);

    const model = await store.get(named('mine'));
    expect(model).toMatchObject({
      displayName: 'Mine:latest',
      system: 'Be brief.',
      template: '{{ .Prompt }}',
      licenses: ['MIT'],
      parameters: { temperature: 0.5, stop: ['a', 'b'] },
      messages: [{ role: 'user', content: 'Hi' }],
      weightsDigest: digest,
      parentModel: '',
      isEmbedded: false,
      config: { model_format: 'gguf', model_family: 'llama', model_type: '134.52M', file_type: 'Q4_1', context_length: 2048 },
    });
    expect(readFileSync(model?.weightsPath ?? '', 'utf8')).toBe('GGUF weights');
    expect((await store.list()).map(({ displayName }) => displayName)).toEqual(['Mine:latest']);
  });

  it("writes Ollama's manifest: key order, final newline, digest of the file", async () => {
    const store = createStore();
    const digest = await upload(store);
    await create(store, { name: named('m'), files: { 'a.gguf': digest } });
    const text = readFileSync(manifestPath('m'), 'utf8');
    const start =
      '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"sha256:';
    expect(text.startsWith(start)).toBe(true);
    expect(text.endsWith(`"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"${digest}","size":12}]}\n`)).toBe(
      true,
    );
    const model = await store.get(named('m'));
    expect(model?.digest).toBe(createHash('sha256').update(text).digest('hex'));
    const configSize = Number(/"digest":"sha256:\w+","size":(\d+)\},"layers"/.exec(text)?.[1]);
    expect(model?.sizeBytes).toBe(12 + configSize);
  });

  it('inherits from a model: replaces text, merges parameters, appends licences', async () => {
    const store = createStore();
    await create(store, {
      name: named('base'),
      files: { 'a.gguf': await upload(store) },
      system: 'old',
      licenses: ['MIT'],
      parameters: { temperature: 0.5, top_k: 3 },
    });
    await create(store, {
      name: named('child'),
      from: named('BASE'),
      system: 'new',
      licenses: ['extra'],
      parameters: { top_k: 9 },
    });
    expect(await store.get(named('child'))).toMatchObject({
      system: 'new',
      licenses: ['MIT', 'extra'],
      parameters: { temperature: 0.5, top_k: 9 },
      parentModel: 'base:latest',
      config: { model_family: 'llama', file_type: 'Q4_1' },
    });
    await create(store, { name: named('plain'), from: named('base') });
    expect(await store.get(named('plain'))).toMatchObject({ system: 'old', parameters: { temperature: 0.5, top_k: 3 } });
  });

  it('keeps shared blobs on delete and removes those of nobody else', async () => {
    const store = createStore();
    const digest = await upload(store);
    await create(store, { name: named('a'), files: { 'a.gguf': digest }, system: 'only a' });
    await store.copy(named('a'), named('b'));
    await create(store, { name: named('c'), from: named('a'), system: 'only c' });
    await store.delete(named('c'));
    expect(existsSync(store.blobPath(digestOfText('only c')))).toBe(false);
    expect(await store.hasBlob(digest)).toBe(true);
    await store.delete(named('a'));
    expect(await store.get(named('b'))).toMatchObject({ system: 'only a' });
    await store.delete(named('B'));
    expect(blobs()).toEqual([]);
    expect(readdirSync(path.join(root, 'models', 'manifests'))).toEqual([]);
  });

  it('drops the layers that an overwritten model no longer needs', async () => {
    const store = createStore();
    const digest = await upload(store);
    await create(store, { name: named('m'), files: { 'a.gguf': digest }, system: 'first' });
    await create(store, { name: named('M'), files: { 'a.gguf': digest }, system: 'second' });
    expect((await store.list()).map(({ displayName }) => displayName)).toEqual(['m:latest']);
    expect(existsSync(store.blobPath(digestOfText('first')))).toBe(false);
  });

  it('copies bytes exactly, onto itself not at all', async () => {
    const store = createStore();
    await create(store, { name: named('a'), files: { 'a.gguf': await upload(store) } });
    await store.copy(named('a'), named('A'));
    await store.copy(named('a'), named('b'));
    expect(readFileSync(manifestPath('b'), 'utf8')).toBe(readFileSync(manifestPath('a'), 'utf8'));
    await expect(store.copy(named('none'), named('b'))).rejects.toThrow("model 'none:latest' not found");
  });

  it('sorts by modification time, newest first', async () => {
    const store = createStore();
    const digest = await upload(store);
    for (const [index, name] of ['one', 'two', 'three'].entries()) {
      await create(store, { name: named(name), files: { 'a.gguf': digest } });
      utimesSync(manifestPath(name), 1000 + index * 10, 1000 + index * 10);
    }
    expect((await store.list()).map(({ displayName }) => displayName)).toEqual(['three:latest', 'two:latest', 'one:latest']);
  });

  it.each([
    ['no source', { files: undefined }, 400, "neither 'from' or 'files' was specified"],
    ['no files', { files: {} }, 400, 'unknown type'],
    ['an empty digest', { files: { 'a.gguf': '' } }, 400, 'invalid digest format'],
    ['a bad digest', { files: { 'a.gguf': 'sha256:../../x' } }, 500, 'invalid digest format'],
    ['an absent blob', { files: { 'a.gguf': `sha256:${'0'.repeat(64)}` } }, 500, 'no such file or directory'],
    ['an unknown parent', { from: parseModelName('none') }, 500, 'pull model manifest: file does not exist'],
    ['quantize', { from: parseModelName('none'), quantize: 'q4_K_M' }, 400, 'unsupported quantization type Q4_K_M'],
  ])('refuses to create from %s', async (_case, request, status, message) => {
    const failure = await create(createStore(), { name: named('m'), ...request }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TarsError);
    expect((failure as TarsError).message).toContain(message);
    expect((failure as TarsError).status).toBe(status);
  });

  it('refuses a file that is not GGUF', async () => {
    const store = createStore();
    const digest = await upload(store, 'PK zip');
    await expect(create(store, { name: named('m'), files: { 'a.gguf': digest } })).rejects.toThrow('not in GGUF format');
    await expect(create(store, { name: named('m'), files: { 'a.zip': digest } })).rejects.toThrow('unknown type');
  });

  it('stops when the client has gone', async () => {
    const store = createStore();
    const digest = await upload(store);
    const signal = AbortSignal.abort();
    await expect(store.create({ name: named('m'), files: { 'a.gguf': digest } }, () => {}, signal)).rejects.toThrow('canceled');
    expect(await store.get(named('m'))).toBeUndefined();
  });
});

describe('blobs', () => {
  it('refuses content of another digest and keeps nothing of it', async () => {
    const store = createStore();
    const wrong = `sha256:${'a'.repeat(64)}`;
    const message = `digest mismatch, expected "${wrong}", got "${digestOfText('hello')}"`;
    await expect(store.putBlob(wrong, Readable.from([Buffer.from('hello')]))).rejects.toThrow(message);
    expect(blobs()).toEqual([]);
    expect(await store.hasBlob(wrong)).toBe(false);
  });

  it('keeps nothing of an upload that breaks', async () => {
    const store = createStore();
    const body = new Readable({
      read(): void {
        this.push(Buffer.from('part'));
        this.destroy(new Error('connection reset'));
      },
    });
    await expect(store.putBlob(digestOfText('part of it'), body)).rejects.toThrow('connection reset');
    expect(blobs()).toEqual([]);
  });

  it.each(['sha256:short', '../../etc/passwd', 'md5:00', `sha256:${'g'.repeat(64)}`, `sha256:${'a'.repeat(64)}/..`])(
    'refuses the digest %s',
    async (digest) => {
      const store = createStore();
      await expect(store.putBlob(digest, Readable.from([]))).rejects.toThrow('invalid digest format');
      await expect(store.hasBlob(digest)).rejects.toThrow('invalid digest format');
    },
  );

  it('prunes old unreferenced blobs at start, young and referenced ones not', async () => {
    const store = createStore();
    const used = await upload(store, 'GGUF used');
    await create(store, { name: named('m'), files: { 'a.gguf': used } });
    const old = await upload(store, 'GGUF old');
    const young = await upload(store, 'GGUF young');
    writeFileSync(path.join(root, 'models', 'blobs', 'sha256-xyz-partial-3'), 'x');
    const hoursAgo = Date.now() / 1000 - 2 * 3600;
    for (const name of blobs().filter((blob) => blob !== young.replace(':', '-'))) {
      utimesSync(path.join(root, 'models', 'blobs', name), hoursAgo, hoursAgo);
    }
    await createStore({ isPruneDisabled: true }).prepare();
    expect(await store.hasBlob(old)).toBe(true);
    await createStore().prepare();
    expect(await store.hasBlob(old)).toBe(false);
    expect(blobs()).not.toContain('sha256-xyz-partial-3');
    expect(await store.hasBlob(young)).toBe(true);
    expect(await store.get(named('m'))).toBeDefined();
  });

  it('does not prune beside a corrupt manifest', async () => {
    const store = createStore();
    const digest = await upload(store);
    utimesSync(store.blobPath(digest), 1000, 1000);
    mkdirSync(path.dirname(manifestPath('bad')), { recursive: true });
    writeFileSync(manifestPath('bad'), '{');
    await store.prepare();
    expect(await store.hasBlob(digest)).toBe(true);
  });
});

describe('hostile manifests', () => {
  const config = { mediaType: 'c', digest: `sha256:${'1'.repeat(64)}`, size: 1 };
  it.each([
    ['truncated JSON', '{"schemaVersion":2,'],
    ['no object', '[]'],
    ['null', 'null'],
    ['no layers', JSON.stringify({ schemaVersion: 2, config })],
    [
      'a path for a digest',
      JSON.stringify({ schemaVersion: 2, config: { ...config, digest: '../../../etc/passwd' }, layers: [] }),
    ],
    ['a negative size', JSON.stringify({ schemaVersion: 2, config, layers: [{ ...config, size: -1 }] })],
    ['an absent config blob', JSON.stringify({ schemaVersion: 2, config, layers: [] })],
    ['binary', '\u0000\u0001\u0002'],
  ])('skips %s and lists the rest', async (_case, text) => {
    const store = createStore();
    await create(store, { name: named('good'), files: { 'a.gguf': await upload(store) } });
    mkdirSync(path.dirname(manifestPath('bad')), { recursive: true });
    writeFileSync(manifestPath('bad'), text);
    expect((await store.list()).map(({ displayName }) => displayName)).toEqual(['good:latest']);
    expect(warnings).toHaveLength(1);
    await store.delete(named('bad'));
    expect(existsSync(manifestPath('bad'))).toBe(false);
    expect(await store.get(named('good'))).toBeDefined();
  });

  it('passes over loose files in the manifest folder', async () => {
    const store = createStore();
    mkdirSync(path.join(root, 'models', 'manifests', 'registry.ollama.ai'), { recursive: true });
    writeFileSync(path.join(root, 'models', 'manifests', 'notes.txt'), 'x');
    writeFileSync(path.join(root, 'models', 'manifests', 'registry.ollama.ai', '.DS_Store'), 'x');
    expect(await store.list()).toEqual([]);
    expect(warnings).toEqual([]);
  });
});

describe('embedded models', () => {
  it('are listed, shown and read-only', async () => {
    embed('demo', { params: { temperature: 0.2 }, system: 'Demo.', license: 'Apache-2.0' });
    const store = createStore();
    expect(await store.get(named('DEMO'))).toMatchObject({
      displayName: 'demo:latest',
      isEmbedded: true,
      system: 'Demo.',
      parameters: { temperature: 0.2 },
      licenses: ['Apache-2.0'],
      weightsPath: path.join(root, 'embedded', 'demo', 'demo.gguf'),
      weightsDigest: digestOfText('GGUF embedded'),
    });
    expect((await store.list()).map(({ displayName }) => displayName)).toEqual(['demo:latest']);
    await expect(store.delete(named('demo'))).rejects.toThrow(
      "model 'demo:latest' is part of the installation and cannot be deleted",
    );
    await expect(create(store, { name: named('Demo'), from: named('demo') })).rejects.toThrow('cannot be replaced');
  });

  it('can be copied and inherited; the copies outlive them', async () => {
    embed('demo', { system: 'Demo.' });
    const store = createStore();
    await store.copy(named('demo'), named('mine'));
    await create(store, { name: named('child'), from: named('demo'), parameters: { seed: 1 } });
    rmSync(path.join(root, 'embedded'), { recursive: true });
    const again = createStore();
    expect(await again.get(named('mine'))).toMatchObject({ system: 'Demo.', isEmbedded: false });
    const child = await again.get(named('child'));
    expect(child).toMatchObject({ system: 'Demo.', parameters: { seed: 1 }, parentModel: 'demo:latest' });
    expect(readFileSync(child?.weightsPath ?? '', 'utf8')).toBe('GGUF embedded');
  });

  it('remember the digest of their file by size and time', async () => {
    embed('demo');
    const first = await createStore().get(named('demo'));
    const cachePath = path.join(root, 'cache', 'embedded-digests.json');
    const cache = readFileSync(cachePath, 'utf8');
    writeFileSync(cachePath, cache.replace(first?.weightsDigest ?? '-', `sha256:${'7'.repeat(64)}`));
    expect((await createStore().get(named('demo')))?.weightsDigest).toBe(`sha256:${'7'.repeat(64)}`);
    utimesSync(path.join(root, 'embedded', 'demo', 'demo.gguf'), 5000, 5000);
    expect((await createStore().get(named('demo')))?.weightsDigest).toBe(first?.weightsDigest);
  });

  it('are left out when their files are broken', async () => {
    embed('demo');
    writeFileSync(path.join(root, 'embedded', 'demo', 'demo.json'), '{"params": 3}');
    const store = createStore();
    expect(await store.list()).toEqual([]);
    expect(warnings).toEqual(['skipped an embedded model']);
  });
});

describe('modelfileOfModel', () => {
  it('describes the stored model so that it can be parsed again', async () => {
    const store = createStore();
    await create(store, {
      name: named('m'),
      files: { 'a.gguf': await upload(store) },
      system: 'Be\nbrief.',
      parameters: { stop: ['x', 'y'], seed: 4 },
      licenses: ['MIT'],
    });
    const model = await store.get(named('m'));
    const text = model === undefined ? '' : modelfileOfModel(model, '{{ .Prompt }}');
    expect(text.split('\n').slice(0, 4)).toEqual([
      '# Modelfile generated by "tars show"',
      '# To build a new Modelfile based on this, replace FROM with:',
      '# FROM m:latest',
      '',
    ]);
    const commands = parseModelfile(text);
    expect(formatModelfile(commands)).toBe(text.slice(text.indexOf('FROM /')));
    expect(commands).toContainEqual({ keyword: 'parameter', name: 'stop', value: 'y' });
  });
});
