// The whole product: `tars serve` with real engine processes, over HTTP.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildModelGguf } from '../fixtures/build-gguf.js';
import { ServerProcess } from '../fixtures/server-process.js';
import { smolLm2Path, smolLm2Title } from '../fixtures/test-models.js';

interface ReplyLine {
  readonly error?: string;
  readonly done?: boolean;
  readonly response?: string;
  readonly message?: { readonly content: string };
}

async function lines(response: Response): Promise<ReplyLine[]> {
  const text = await response.text();
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ReplyLine);
}

function enginePids(serverPid: number): number[] {
  try {
    const listed = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(serverPid)], { encoding: 'utf8' });
    return listed.split('\n').flatMap((line) => (line.includes('engine-process') ? [Number.parseInt(line, 10)] : []));
  } catch {
    return [];
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition() && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(condition()).toBe(true);
}

// A tiny model without an end token: it goes on for as long as it may, which is ten contexts, about ten seconds.
const tinyModel = Uint8Array.from(
  buildModelGguf({
    contextLength: 65_536,
    tokens: ['<unk>', '<s>', 'x', 'a', 'b', 'ab', 'c', 'd'],
    metadata: { 'tokenizer.ggml.eos_token_id': undefined },
  }),
);
const longAnswer = { model: 'tiny', prompt: 'abc', raw: true, options: { temperature: 0 } };

async function importModel(server: ServerProcess, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<ReplyLine[]> {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  expect((await fetch(`${server.url}/api/blobs/${digest}`, { method: 'HEAD' })).status).toBe(404);
  expect((await fetch(`${server.url}/api/blobs/${digest}`, { method: 'POST', body: bytes })).status).toBe(201);
  return lines(await server.post('/api/create', { model: name, files: { 'model.gguf': digest } }));
}

describe('tars serve', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await ServerProcess.start();
    await importModel(server, 'tiny', tinyModel);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('answers with the embedded model, streamed and whole alike', async () => {
    const body = { model: 'tars-demo', messages: [{ role: 'user', content: 'What can you do?' }], options: { temperature: 0 } };
    const streamed = await lines(await server.post('/api/chat', body));
    expect(streamed.length).toBeGreaterThan(3);
    expect(streamed.at(-1)).toMatchObject({ done: true, done_reason: 'stop' });
    const text = streamed.map((line) => line.message?.content ?? '').join('');
    expect(text.length).toBeGreaterThan(20);
    const whole = (await (await server.post('/api/chat', { ...body, stream: false })).json()) as ReplyLine;
    expect(whole.message?.content).toBe(text);
  });

  it('answers with a JSON object when the format says so, whatever is sampled', async () => {
    const ask = async (seed: number, think: boolean): Promise<unknown> => {
      const messages = [{ role: 'user', content: seed % 2 === 0 ? 'Which port does the server use? Answer in JSON.' : 'hello' }];
      const options = { seed, temperature: 1, num_predict: 200 };
      const body = { model: 'tars-demo', messages, format: 'json', think, stream: false, options };
      const reply = (await (await server.post('/api/chat', body)).json()) as ReplyLine & { done_reason: string };
      return reply.done_reason === 'stop' ? JSON.parse(reply.message?.content ?? '') : 'cut';
    };
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => ask(index, index % 3 === 0)));
    const objects = answers.filter((answer) => answer !== 'cut');
    objects.forEach((answer) => expect(typeof answer).toBe('object'));
    expect(objects.length).toBeGreaterThan(6);
  });

  it('keeps to a JSON schema, whatever is sampled, beside streams that are free', async () => {
    const format = {
      type: 'object',
      properties: {
        name: { type: 'string', maxLength: 12 },
        age: { type: 'integer', minimum: 18, maximum: 99 },
        kind: { enum: ['cat', 'dog'] },
      },
      required: ['name', 'age', 'kind'],
    };
    const ask = async (seed: number): Promise<{ content: string; reason: string }> => {
      const isFree = seed % 4 === 3;
      const body = { model: 'tars-demo', messages: [{ role: 'user', content: 'hello' }], stream: false, think: seed % 2 === 0 };
      const options = { seed, temperature: 1.5, num_predict: 120 };
      const reply = await server.post('/api/chat', { ...body, options, ...(isFree ? {} : { format }) });
      const { message, done_reason: reason } = (await reply.json()) as ReplyLine & { done_reason: string };
      return { content: isFree ? '' : (message?.content ?? ''), reason };
    };
    const answers = await Promise.all(Array.from({ length: 12 }, (_, seed) => ask(seed)));
    const whole = answers.filter(({ content, reason }) => content !== '' && reason === 'stop').map(({ content }) => content);
    expect(whole.length).toBeGreaterThan(3);
    for (const content of whole) {
      const { name, age, kind, ...rest } = JSON.parse(content) as Record<string, unknown>;
      expect(rest).toEqual({});
      expect((name as string).length).toBeLessThanOrEqual(12);
      expect(Number.isInteger(age) && Number(age) >= 18 && Number(age) <= 99).toBe(true);
      expect(['cat', 'dog']).toContain(kind);
    }
  });

  it('scores a prompt as it scored the same tokens when it wrote them', async () => {
    const body = { model: 'tars-demo', raw: true, stream: false };
    const prompt = '<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n';
    interface Scored {
      response: string;
      logprobs: { token: string; logprob: number }[];
      prompt_logprobs: { token: string; logprob: number }[];
    }
    const post = async (rest: object): Promise<Scored> =>
      (await (await server.post('/api/generate', { ...body, ...rest })).json()) as Scored;
    const written = await post({ prompt, logprobs: true, options: { temperature: 0, num_predict: 12 } });
    const scored = await post({ prompt: prompt + written.response, prompt_logprobs: true, options: { num_predict: 1 } });
    const tail = scored.prompt_logprobs.slice(-written.logprobs.length);
    expect(tail.map(({ token }) => token)).toEqual(written.logprobs.map(({ token }) => token));
    tail.forEach(({ logprob }, index) => expect(logprob).toBeCloseTo(written.logprobs[index]?.logprob ?? NaN, 4));
  });

  it('gives the same text for the same seed, alone and beside other requests', async () => {
    const body = { model: 'tars-demo', prompt: 'hello', stream: false, options: { seed: 7, num_predict: 40 } };
    const text = async (): Promise<string | undefined> =>
      ((await (await server.post('/api/generate', body)).json()) as ReplyLine).response;
    const alone = await text();
    const others = Array.from({ length: 4 }, (_, index) =>
      server.post('/api/generate', { model: 'tars-demo', prompt: `What is ${index} + ${index}?`, stream: false }),
    );
    expect(await text()).toBe(alone);
    await Promise.all(others.map(async (other) => (await other).text()));
  });

  it('gives each of 8 streams one error line when the engine is killed, and answers the next request by itself', async () => {
    // Loaded beforehand, so that the engine is found and killed while all streams still run.
    await (await server.post('/api/generate', { model: 'tiny', prompt: '' })).text();
    const pids = enginePids(server.pid);
    const responses = await Promise.all(Array.from({ length: 8 }, () => server.post('/api/generate', longAnswer)));
    pids.forEach((pid) => process.kill(pid, 'SIGKILL'));
    const replies = Promise.all(responses.map(lines));
    for (const stream of await replies) {
      expect(stream.filter((line) => line.error !== undefined)).toHaveLength(1);
      expect(stream.at(-1)?.error).toMatch(/unexpectedly stopped/);
      expect(stream.some((line) => line.done === true)).toBe(false);
    }
    const next = (await (
      await server.post('/api/generate', { ...longAnswer, stream: false, options: { num_predict: 3 } })
    ).json()) as ReplyLine;
    expect(next.done).toBe(true);
  });

  it('stops working on an answer when its client goes away', async () => {
    const controller = new AbortController();
    const response = await server.post('/api/generate', longAnswer, controller.signal);
    await response.body?.getReader().read();
    controller.abort();
    // With keep_alive 0 the model is unloaded as soon as no request holds it.
    await server.post('/api/generate', { model: 'tiny', prompt: '', keep_alive: 0 });
    await until(() => enginePids(server.pid).length === 0);
  });
});

describe('tars serve: start and end', () => {
  it('says in one line that the port is taken and exits with status 1', async () => {
    await using first = await ServerProcess.start();
    await using second = await ServerProcess.start(Number(new URL(first.url).port));
    expect(await second.exit()).toEqual({ code: 1, signal: null });
    expect(second.stderr.split('\n').filter((line) => line.includes('address already in use'))).toHaveLength(1);
  });

  it('ends streams and engine processes on Ctrl-C', async () => {
    await using server = await ServerProcess.start();
    await importModel(server, 'tiny', tinyModel);
    const response = await server.post('/api/generate', longAnswer);
    const engines = enginePids(server.pid);
    expect(engines).toHaveLength(1);
    server.signal('SIGINT');
    await response.text().catch(() => undefined);
    expect(await server.exit()).toMatchObject({ code: 0 });
    await until(() => engines.every((pid) => !isAlive(pid)));
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const smolLm2 = smolLm2Path();

describe.skipIf(smolLm2 === undefined)(smolLm2Title('SmolLM2 over HTTP'), () => {
  it('is imported by blob and create, and knows the capital of France', async () => {
    await using server = await ServerProcess.start();
    const created = await importModel(server, 'smollm2', readFileSync(smolLm2 ?? ''));
    expect(created.at(-1)).toEqual({ status: 'success' });
    const reply = await server.post('/api/chat', {
      model: 'smollm2',
      messages: [{ role: 'user', content: 'What is the capital of France?' }],
      options: { temperature: 0 },
      stream: false,
    });
    expect(((await reply.json()) as ReplyLine).message?.content).toContain('Paris');
  }, 120_000);
});
