import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, type Config } from '../config/index.js';
import { ApiClient } from './api-client.js';
import type { RuntimeFacts } from '../runtime/index.js';
import type { RunningServer } from './context.js';
import { normalizeArguments, runProgram } from './program.js';

// Double: an HTTP server whose answers are a table, and which records every call in order.
interface RecordedCall {
  readonly route: string;
  readonly body: unknown;
}

/** Answer of a route: a value is sent as JSON, a list as lines; `status` replaces 200. */
interface Answer {
  readonly status?: number;
  readonly json?: unknown;
  readonly lines?: readonly unknown[];
  /** Keeps the stream open after the lines until the client leaves. */
  readonly isEndless?: boolean;
}

type Answers = Readonly<Record<string, Answer | ((body: never) => Answer)>>;

class TestServer {
  readonly calls: RecordedCall[] = [];
  readonly #server: Server;

  private constructor(answers: Answers) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const route = `${request.method} ${request.url}`;
        const body: unknown = text.startsWith('{') ? JSON.parse(text) : text || undefined;
        this.calls.push({ route, body });
        const entry = answers[route] ?? { status: route === 'HEAD /' ? 200 : 404, json: { error: `no ${route}` } };
        const answer = typeof entry === 'function' ? entry(body as never) : entry;
        response.statusCode = answer.status ?? 200;
        for (const line of answer.lines ?? []) {
          response.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
        }
        if (answer.isEndless !== true) {
          response.end(answer.json === undefined ? undefined : JSON.stringify(answer.json));
        }
      });
    });
  }

  static async start(answers: Answers): Promise<TestServer> {
    const server = new TestServer(answers);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Calls other than the heartbeat. */
  get routes(): readonly string[] {
    return this.calls.map(({ route }) => route).filter((route) => route !== 'HEAD /');
  }

  body(route: string): unknown {
    return this.calls.findLast((call) => call.route === route)?.body;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

class Capture extends Writable {
  text = '';
  readonly isTTY: boolean;
  onText: (text: string) => void = () => {};

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.onText(this.text);
    done();
  }
}

let server: TestServer | undefined;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tars-cli-'));
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

interface RunOptions {
  readonly answers?: Answers;
  readonly stdin?: string;
  /** stdin and stdout are a terminal. */
  readonly isTTY?: boolean;
  readonly startServer?: (config: Config) => Promise<RunningServer>;
  readonly describeRuntime?: () => Promise<RuntimeFacts>;
  readonly onStdout?: (text: string, signals: EventEmitter) => void;
}

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly signals: EventEmitter;
}

/** A machine whose operators cannot be loaded. */
const machine = {
  describeRuntime: () => Promise.reject(new Error('no operators for plan9-mips')),
  describeMachine: () => Promise.resolve({ numThreads: 6, memoryBytes: 12e9 }),
};

async function tars(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  server = options.answers === undefined ? undefined : await TestServer.start(options.answers);
  const config = loadConfig({ HOME: folder });
  const signals = new EventEmitter();
  const stdin = Object.assign(Readable.from([Buffer.from(options.stdin ?? '')]), { isTTY: options.isTTY ?? false });
  const stdout = new Capture(options.isTTY);
  const stderr = new Capture();
  stdout.onText = (text) => options.onStdout?.(text, signals);
  const status = await runProgram(
    {
      config,
      client: new ApiClient(server?.url ?? 'http://127.0.0.1:1'),
      terminal: { stdin, stdout, stderr },
      signals,
      ...machine,
      startServer: options.startServer ?? (() => Promise.reject(new Error('no server'))),
      ...(options.describeRuntime === undefined ? {} : { describeRuntime: options.describeRuntime }),
      exit: () => {},
      version: '1.2.3',
    },
    argv,
  );
  return { status, stdout: stdout.text, stderr: stderr.text, signals };
}

const show = { 'POST /api/show': { json: { capabilities: ['completion'], details: {}, model_info: {} } } };

describe('command line', () => {
  it.each([
    [['frobnicate'], 'Error: unknown command "frobnicate" for "tars"\n'],
    [['show'], 'Error: accepts 1 arg(s), received 0\n'],
    [['cp', 'a'], 'Error: accepts 2 arg(s), received 1\n'],
    [['run'], 'Error: requires at least 1 arg(s), only received 0\n'],
    [['list', 'a', 'b'], 'Error: accepts at most 1 arg(s), received 2\n'],
    [['list', '--colour'], 'Error: unknown flag: --colour\n'],
    [['show', '-x', 'm'], 'Error: unknown shorthand flag: "x" in -x\n'],
    [['create', 'm', '--file'], 'Error: flag needs an argument: --file\n'],
    [['pull', 'm'], "Error: pull is not available yet; make m from a GGUF file with 'tars create'\n"],
  ])('%j fails with one line', async (argv, stderr) => {
    expect(await tars(argv)).toMatchObject({ status: 1, stdout: '', stderr });
  });

  it('says how to start the server when there is none', async () => {
    const { status, stderr } = await tars(['list']);
    expect(status).toBe(1);
    expect(stderr).toBe("Error: could not connect to tars server, run 'tars serve' to start it\n");
  });

  it('prints help and versions on stdout', async () => {
    expect(await tars(['run', '--help'])).toMatchObject({ status: 0, stderr: '' });
    expect((await tars([])).stdout).toContain('serve|start');
    expect((await tars(['--version'])).stdout).toBe(
      'tars version is 1.2.3\nWarning: could not connect to a running tars server\n',
    );
  });

  it('tells of the machine, also when the operators cannot be loaded', async () => {
    const describeRuntime = (): Promise<RuntimeFacts> =>
      Promise.resolve({ onnxRuntimeVersion: '1.30.0', operatorLibrary: '/lib/ops.so', instructionSet: 'avx2' });
    const { stdout, status } = await tars(['info'], { describeRuntime });
    expect(status).toBe(0);
    const rows = Object.fromEntries(stdout.split('\n').map((line) => line.split(/ {2,}/))) as Record<string, string>;
    expect(rows).toMatchObject({
      version: '1.2.3',
      'instruction set': 'avx2',
      'onnx runtime': '1.30.0',
      operators: '/lib/ops.so',
      threads: '6',
      'memory for models': '12 GB',
      'kv cache': 'f16',
      address: '127.0.0.1:11434',
    });
    const broken = await tars(['info']);
    expect(broken.status).toBe(0);
    expect(broken.stdout).toMatch(/operators +no operators for plan9-mips/);
  });

  it("accepts Go's spellings of flags", () => {
    expect(normalizeArguments(['run', 'm', '--think', 'x', '--verbose=true', '--nowordwrap=false', '--', '--think'])).toEqual([
      'run',
      'm',
      '--think=true',
      'x',
      '--verbose',
      '--',
      '--think',
    ]);
  });
});

describe('list, ps, show', () => {
  const digest = 'abcdef0123456789'.repeat(4);

  it('lists models as a table, filtered by prefix', async () => {
    const modified_at = new Date(Date.now() - 3 * 60_000).toISOString();
    const models = [
      { name: 'Llama:latest', digest, size: 1_500_000_000, modified_at },
      { name: 'other:latest', digest, size: 5, modified_at },
    ];
    const { stdout, status } = await tars(['ls', 'LL'], { answers: { 'GET /api/tags': { json: { models } } } });
    expect(status).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'NAME            ID              SIZE      MODIFIED      ',
      'Llama:latest    abcdef012345    1.5 GB    3 minutes ago    ',
      '',
    ]);
  });

  it('shows where running models are and how long they stay', async () => {
    const in5 = new Date(Date.now() + 4.5 * 60_000).toISOString();
    const entry = { digest, size: 1000, context_length: 4096, expires_at: in5 };
    const models = [
      { ...entry, name: 'cpu:1', size_vram: 0 },
      { ...entry, name: 'gpu:1', size_vram: 1000, expires_at: '2318-01-01T00:00:00Z' },
      { ...entry, name: 'both:1', size_vram: 750, expires_at: '2020-01-01T00:00:00Z' },
      { ...entry, name: 'odd:1', size_vram: 2000 },
    ];
    const { stdout } = await tars(['ps'], { answers: { 'GET /api/ps': { json: { models } } } });
    const cells = stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
    expect(cells.slice(0, 5)).toEqual([
      ['NAME', 'ID', 'SIZE', 'PROCESSOR', 'CONTEXT', 'UNTIL'],
      ['cpu:1', 'abcdef012345', '1 KB', '100% CPU', '4096', '4 minutes from now'],
      ['gpu:1', 'abcdef012345', '1 KB', '100% GPU', '4096', 'Forever'],
      ['both:1', 'abcdef012345', '1 KB', '25%/75% CPU/GPU', '4096', 'Stopping...'],
      ['odd:1', 'abcdef012345', '1 KB', 'Unknown', '4096', '4 minutes from now'],
    ]);
  });

  it('shows a model in blocks, or one part of it', async () => {
    const json = {
      details: { parameter_size: '134.52M', quantization_level: 'Q4_1', family: 'llama' },
      model_info: { 'general.architecture': 'llama', 'llama.context_length': 2048, 'llama.embedding_length': 576 },
      capabilities: ['completion'],
      parameters: `stop${' '.repeat(27)}"<|im_end|>"`,
      license: 'Apache License\n\n  Version 2.0\n\nmore\n',
      system: 'Be brief.',
    };
    const { stdout } = await tars(['show', 'm'], { answers: { 'POST /api/show': { json } } });
    expect(stdout.replace(/ +$/gm, '')).toBe(
      [
        '  Model',
        '    architecture        llama',
        '    parameters          134.52M',
        '    context length      2048',
        '    embedding length    576',
        '    quantization        Q4_1',
        '',
        '  Capabilities',
        '    completion',
        '',
        '  Parameters',
        '    stop    "<|im_end|>"',
        '',
        '  System',
        '    Be brief.',
        '',
        '  License',
        '    Apache License',
        '    Version 2.0',
        '    ...',
        '',
        '',
      ].join('\n'),
    );
    await server?.close();
    expect((await tars(['show', 'm', '--system'], { answers: { 'POST /api/show': { json } } })).stdout).toBe('Be brief.\n');
    await server?.close();
    const { stderr } = await tars(['show', 'm', '--system', '--license'], { answers: { 'POST /api/show': { json } } });
    expect(stderr).toContain("only one of '--license', '--modelfile', '--parameters', '--system', or '--template'");
  });

  it('prints the error of the server', async () => {
    const answers = { 'POST /api/show': { status: 404, json: { error: "model 'm' not found" } } };
    expect(await tars(['show', 'm'], { answers })).toMatchObject({ status: 1, stderr: "Error: model 'm' not found\n" });
  });
});

describe('stop, rm, cp', () => {
  it('unloads a model, or says that there is none', async () => {
    expect(await tars(['stop', 'm'], { answers: { 'POST /api/generate': { json: {} } } })).toMatchObject({
      status: 0,
      stdout: '',
    });
    expect(server?.body('POST /api/generate')).toEqual({ model: 'm', keep_alive: 0, stream: false });
    await server?.close();
    const answers = { 'POST /api/generate': { status: 404, json: { error: 'x' } } };
    expect((await tars(['stop', 'm'], { answers })).stderr).toBe('Error: couldn\'t find model "m" to stop\n');
  });

  it('removes models one after the other', async () => {
    const answers = { 'POST /api/generate': { status: 404, json: { error: 'x' } }, 'DELETE /api/delete': {} };
    expect((await tars(['rm', 'a', 'b'], { answers })).stdout).toBe("deleted 'a'\ndeleted 'b'\n");
    expect(server?.body('DELETE /api/delete')).toEqual({ model: 'b', name: 'b' });
  });

  it('copies', async () => {
    expect((await tars(['cp', 'a', 'b'], { answers: { 'POST /api/copy': {} } })).stdout).toBe("copied 'a' to 'b'\n");
    expect(server?.body('POST /api/copy')).toEqual({ source: 'a', destination: 'b' });
  });
});

describe('create', () => {
  const content = 'GGUF weights';
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const done = { 'POST /api/create': { lines: [{ status: 'parsing GGUF' }, { status: 'success' }] } };

  it('uploads the file of FROM and sends what the Modelfile says', async () => {
    writeFileSync(path.join(folder, 'w.gguf'), content);
    const modelfile = path.join(folder, 'Modelfile');
    writeFileSync(
      modelfile,
      'FROM ./w.gguf\nPARAMETER stop a\nPARAMETER stop b\nPARAMETER temperature 0.5\nPARAMETER mirostat 1\nSYSTEM Hi\nMESSAGE user Q\nLICENSE L\n',
    );
    const answers = {
      ...done,
      [`HEAD /api/blobs/${digest}`]: { status: 404 },
      [`POST /api/blobs/${digest}`]: { status: 201 },
    };
    const { status, stderr } = await tars(['create', 'mine', '-f', modelfile], { answers });
    expect(status).toBe(0);
    expect(stderr).toBe(
      `warning: parameter mirostat is deprecated\ngathering model components\ncopying file ${digest}\nparsing GGUF\nsuccess\n`,
    );
    expect(server?.body(`POST /api/blobs/${digest}`)).toBe(content);
    expect(server?.body('POST /api/create')).toEqual({
      model: 'mine',
      files: { 'w.gguf': digest },
      parameters: { stop: ['a', 'b'], temperature: 0.5 },
      system: 'Hi',
      messages: [{ role: 'user', content: 'Q' }],
      license: ['L'],
    });
  });

  it('does not upload a blob that the server has', async () => {
    writeFileSync(path.join(folder, 'w.gguf'), content);
    writeFileSync(path.join(folder, 'Modelfile'), `FROM ${folder}`);
    const answers = { ...done, [`HEAD /api/blobs/${digest}`]: {} };
    await tars(['create', 'mine', '-f', path.join(folder, 'Modelfile')], { answers });
    expect(server?.routes).toEqual([`HEAD /api/blobs/${digest}`, 'POST /api/create']);
  });

  it('takes a FROM that is no file for a model', async () => {
    const { status } = await tars(['create', 'mine', '-f', '-'], { answers: done, stdin: 'FROM base\nTEMPLATE x' });
    expect(status).toBe(0);
    expect(server?.body('POST /api/create')).toEqual({ model: 'mine', from: 'base', template: 'x' });
  });

  it.each([
    [['create', 'bad name', '-f', '-'], 'FROM m', 'Error: invalid model name: bad name\n'],
    [['create', 'm', '-f', '/nowhere/Modelfile'], '', "Error: specified Modelfile wasn't found\n"],
    [['create', 'm', '-f', '-'], 'FROM m\nPARAMETER nope 1', "Error: unknown parameter 'nope'\n"],
    [['create', 'm', '-f', '-'], 'FROM m\nREQUIRES soon', 'Error: requires must be a valid semver (e.g. 0.14.0)\n'],
    [['create', 'm', '-f', '-'], 'SYSTEM x', 'Error: no FROM line\n'],
  ])('%j of %j fails before anything is sent', async (argv, stdin, stderr) => {
    expect(await tars(argv, { answers: done, stdin })).toMatchObject({ status: 1, stderr });
    expect(server?.routes).toEqual([]);
  });

  it('prints an error of the stream after its statuses', async () => {
    const answers = { 'POST /api/create': { lines: [{ status: 'parsing GGUF' }, { error: 'unknown type' }] } };
    const { status, stderr } = await tars(['create', 'm', '-f', '-'], { answers, stdin: 'FROM base' });
    expect(status).toBe(1);
    expect(stderr).toBe('parsing GGUF\nError: unknown type\n');
  });
});

describe('run', () => {
  const generate = (...lines: unknown[]): Answer => ({ lines });
  const final = {
    done: true,
    total_duration: 2_500_000_000,
    prompt_eval_count: 5,
    prompt_eval_duration: 100_000_000,
    eval_count: 10,
    eval_duration: 2_000_000_000,
  };

  it('streams one answer and ends it with an empty line', async () => {
    const answers = { ...show, 'POST /api/generate': generate({ response: 'Hel' }, { response: 'lo' }, final) };
    const { stdout, stderr } = await tars(['run', 'm', 'say', 'hello', '--verbose', '--keepalive', '10m', '--format', 'json'], {
      answers,
    });
    expect(stdout).toBe('Hello\n\n');
    expect(server?.body('POST /api/generate')).toEqual({
      model: 'm',
      prompt: 'say hello',
      options: {},
      format: 'json',
      keep_alive: '10m0s',
    });
    expect(stderr).toBe(
      [
        'total duration:       2.5s',
        'prompt eval count:    5 token(s)',
        'prompt eval duration: 100ms',
        'prompt eval rate:     50.00 tokens/s',
        'eval count:           10 token(s)',
        'eval duration:        2s',
        'eval rate:            5.00 tokens/s',
        '',
      ].join('\n'),
    );
  });

  it('puts piped text before the words', async () => {
    const answers = { ...show, 'POST /api/generate': generate({ response: 'ok', done: true }) };
    await tars(['run', 'm', 'summarise'], { answers, stdin: 'long text' });
    expect(server?.body('POST /api/generate')).toMatchObject({ prompt: 'long text summarise' });
  });

  it('shows thinking between its markers, or hides it', async () => {
    const answers = {
      'POST /api/show': { json: { capabilities: ['completion', 'thinking'] } },
      'POST /api/generate': generate({ thinking: 'Hm.' }, { response: 'Yes', done: true }),
    };
    expect((await tars(['run', 'm', 'x'], { answers })).stdout).toBe('Thinking...\nHm.\n...done thinking.\n\nYes\n\n');
    expect(server?.body('POST /api/generate')).toMatchObject({ think: true });
    await server?.close();
    expect((await tars(['run', 'm', 'x', '--hidethinking', '--think=low'], { answers })).stdout).toBe('Yes\n\n');
    expect(server?.body('POST /api/generate')).toMatchObject({ think: 'low' });
  });

  it('prints the vector of an embedding model', async () => {
    const answers = {
      'POST /api/show': { json: { capabilities: ['embedding'] } },
      'POST /api/embed': { json: { embeddings: [[0.5, -1]] } },
    };
    expect((await tars(['run', 'm', 'text'], { answers })).stdout).toBe('[0.5,-1]\n');
    await server?.close();
    expect((await tars(['run', 'm'], { answers })).stderr).toContain('embedding models require input text');
  });

  it('reports an error in the middle of the stream', async () => {
    const answers = { ...show, 'POST /api/generate': generate({ response: 'Hel' }, { error: 'model runner has stopped' }) };
    expect(await tars(['run', 'm', 'x'], { answers })).toMatchObject({
      status: 1,
      stdout: 'Hel',
      stderr: 'Error: model runner has stopped\n',
    });
  });

  it('stops an answer at Ctrl-C', async () => {
    const answers = { ...show, 'POST /api/generate': { lines: [{ response: 'endless' }], isEndless: true } };
    const onStdout = (_text: string, signals: EventEmitter): void => void signals.emit('SIGINT');
    const { status, stdout, signals } = await tars(['run', 'm', 'x'], { answers, onStdout });
    expect(status).toBe(0);
    expect(stdout).toBe('endless\n\n');
    expect(signals.listenerCount('SIGINT')).toBe(0);
  });

  it.each([
    [['run', 'm', 'x', '--keepalive', '5'], 'time: missing unit in duration "5"'],
    [['run', 'm', 'x', '--think=maybe'], 'invalid value for --think: "maybe"'],
    [['run', 'm', 'x', '--format', '{'], 'invalid format: "{"'],
  ])('refuses %j', async (argv, message) => {
    expect((await tars(argv, { answers: show })).stderr).toContain(message);
  });
});

describe('interactive prompt', () => {
  const chat = (body: { messages: readonly { content: string }[] }): Answer => ({
    lines: [{ message: { role: 'assistant', content: `echo ${body.messages.at(-1)?.content}` } }, { done: true }],
  });
  const answers = { ...show, 'POST /api/generate': { json: {} }, 'POST /api/chat': chat };
  const typed = (...lines: string[]): RunOptions => ({ answers, isTTY: true, stdin: `${lines.join('\n')}\n` });
  const plain = (text: string): string => stripVTControlCharacters(text);

  it('loads the model, keeps the conversation and ends at /bye', async () => {
    const { status, stdout } = await tars(['run', 'm'], typed('one', 'two', '/bye', 'never'));
    expect(status).toBe(0);
    expect(plain(stdout)).toContain('echo one');
    expect(server?.routes).toEqual(['POST /api/show', 'POST /api/generate', 'POST /api/chat', 'POST /api/chat']);
    expect(server?.body('POST /api/chat')).toMatchObject({
      messages: [
        { role: 'user', content: 'one' },
        { role: 'assistant', content: 'echo one' },
        { role: 'user', content: 'two' },
      ],
    });
    expect(readFileSync(path.join(folder, '.ollama', 'history'), 'utf8')).toBe('one\ntwo\n/bye\n');
  });

  it('sends several lines between triple quotes as one message', async () => {
    await tars(['run', 'm'], typed('"""first', 'second"""', '/bye'));
    expect(server?.body('POST /api/chat')).toMatchObject({ messages: [{ role: 'user', content: 'first\nsecond' }] });
  });

  it('sets what later requests carry', async () => {
    const { stdout } = await tars(
      ['run', 'm'],
      typed(
        '/set parameter temperature 0.5',
        '/set parameter stop a b',
        '/set parameter nope 1',
        '/set system """Be',
        'kind."""',
        '/set format json',
        '/set nothink',
        'hi',
        '/clear',
        '/nope',
        '/bye',
      ),
    );
    const shown = plain(stdout);
    for (const line of [
      "Set parameter 'temperature' to '0.5'",
      "Set parameter 'stop' to 'a, b'",
      "Couldn't set parameter: \"unknown parameter 'nope'\"",
      'Set system message.',
      "Set format to 'json' mode.",
      "Set 'nothink' mode.",
      'Cleared session context',
      "Unknown command '/nope'. Type /? for help",
    ]) {
      expect(shown).toContain(`${line}\n`);
    }
    expect(server?.body('POST /api/chat')).toEqual({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be\nkind.' },
        { role: 'user', content: 'hi' },
      ],
      format: 'json',
      options: { temperature: 0.5, stop: ['a', 'b'] },
      think: false,
    });
  });

  it('goes on after a failed request and forgets that turn', async () => {
    let numCalls = 0;
    const flaky = (body: { messages: readonly { content: string }[] }): Answer =>
      numCalls++ === 0 ? { status: 500, json: { error: 'boom' } } : chat(body);
    const { stderr } = await tars(['run', 'm'], {
      ...typed('one', 'two', '/bye'),
      answers: { ...answers, 'POST /api/chat': flaky },
    });
    expect(stderr).toBe('Error: 500 Internal Server Error: boom\n');
    expect(server?.body('POST /api/chat')).toMatchObject({ messages: [{ role: 'user', content: 'two' }] });
  });

  it('saves the session as a model', async () => {
    const { stdout } = await tars(['run', 'm'], {
      ...typed('/set parameter seed 7', '/save mine', '/bye'),
      answers: { ...answers, 'POST /api/create': { json: { status: 'success' } } },
    });
    expect(plain(stdout)).toContain("Created new model 'mine'");
    expect(server?.body('POST /api/create')).toEqual({ model: 'mine', from: 'm', parameters: { seed: 7 }, stream: false });
  });
});

describe('serve', () => {
  it('closes the server at the first signal', async () => {
    const log: string[] = [];
    const signals = new EventEmitter();
    const startServer = async (): Promise<RunningServer> => {
      log.push('started');
      setTimeout(() => signals.emit('SIGTERM'), 5);
      return { url: '', close: async () => void log.push('closed') };
    };
    const config = loadConfig({ HOME: folder });
    const status = await runProgram(
      {
        config,
        client: new ApiClient('http://127.0.0.1:1'),
        terminal: { stdin: Readable.from([]), stdout: new Capture(), stderr: new Capture() },
        signals,
        ...machine,
        startServer,
        exit: (code) => void log.push(`exit ${code}`),
        version: '',
      },
      ['start'],
    );
    signals.emit('SIGINT');
    expect(status).toBe(0);
    expect(log).toEqual(['started', 'closed', 'exit 1']);
  });

  it('names the address that is in use', async () => {
    const inUse = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' });
    const outcome = await tars(['serve'], { startServer: () => Promise.reject(inUse) });
    expect(outcome).toMatchObject({
      status: 1,
      stderr: 'Error: listen tcp 127.0.0.1:11434: bind: address already in use\n',
    });
  });
});
