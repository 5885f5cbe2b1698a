// Every call of the official `ollama` npm client, against whatever server is given.
import { Ollama, type ProgressResponse } from 'ollama';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

export interface ClientTarget {
  readonly url: string;
  /** A model that chats; with tools and thinking where the flags below say so. */
  readonly model: string;
  /** Weights of another model, uploaded as a blob. */
  readonly weights: Uint8Array;
  readonly digest: string;
  readonly hasThinkingAndTools: boolean;
  close(): Promise<void>;
}

const tool = {
  type: 'function',
  function: {
    name: 'add',
    description: 'Adds two numbers',
    parameters: { type: 'object', required: ['a', 'b'], properties: { a: { type: 'number' }, b: { type: 'number' } } },
  },
};

/** Declares the suite; the server is started before the first test and closed after the last. */
export function describeOllamaClient(title: string, startServer: () => Promise<ClientTarget>): void {
  describe(title, () => {
    let target: ClientTarget;
    let client: Ollama;
    beforeAll(async () => {
      target = await startServer();
      client = new Ollama({ host: target.url });
    }, 120_000);
    afterAll(() => target.close());
    const options = { num_predict: 8, seed: 1 };

    it('version', async () => {
      const { version } = await client.version();
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    });

    it('list and show', async () => {
      const { models } = await client.list();
      expect(models.map(({ name }) => name)).toContain(target.model);
      const shown = await client.show({ model: target.model });
      expect(shown.capabilities).toContain('completion');
      expect(shown.details.format).toBe('gguf');
      await expect(client.show({ model: 'nope' })).rejects.toThrow("model 'nope:latest' not found");
    });

    it('generate, whole and streamed', async () => {
      const request = { model: target.model, prompt: 'Say hello.', options: { ...options, temperature: 0 } };
      const whole = await client.generate(request);
      expect(whole.done).toBe(true);
      expect(whole.eval_count).toBeGreaterThan(0);
      expect(whole.context.length).toBeGreaterThan(0);
      let text = '';
      let isDone = false;
      for await (const part of await client.generate({ ...request, stream: true })) {
        text += part.response;
        isDone = part.done;
      }
      expect([text, isDone]).toEqual([whole.response, true]);
    });

    it('chat, whole and streamed', async () => {
      const messages = [{ role: 'user', content: 'Say hello.' }];
      const request = { model: target.model, messages, options: { ...options, temperature: 0 } };
      const whole = await client.chat(request);
      expect(whole.message.role).toBe('assistant');
      expect(whole.done_reason).toMatch(/^(stop|length)$/);
      let text = '';
      for await (const part of await client.chat({ ...request, stream: true })) {
        text += part.message.content;
      }
      expect(text).toBe(whole.message.content);
    });

    it('chat with thinking and tools, or a clear refusal', async () => {
      const messages = [{ role: 'user', content: 'Add 1 and 2.' }];
      const thinking = client.chat({ model: target.model, messages, think: true, options });
      const calling = client.chat({ model: target.model, messages, tools: [tool], options });
      if (target.hasThinkingAndTools) {
        expect((await thinking).done).toBe(true);
        expect((await calling).done).toBe(true);
      } else {
        await expect(thinking).rejects.toThrow('does not support thinking');
        await expect(calling).rejects.toThrow('does not support tools');
      }
    });

    it('loads, lists what is loaded, and unloads', async () => {
      const request = { model: target.model, prompt: '' };
      expect((await client.generate({ ...request, keep_alive: '5m' })).done_reason).toBe('load');
      const { models } = await client.ps();
      expect(models.map(({ name }) => name)).toContain(target.model);
      expect((await client.generate({ ...request, keep_alive: 0 })).done_reason).toBe('unload');
    });

    it('creates from a blob, copies and deletes', async () => {
      const uploaded = await fetch(`${target.url}/api/blobs/${target.digest}`, {
        method: 'POST',
        body: Uint8Array.from(target.weights),
      });
      expect([200, 201]).toContain(uploaded.status);
      const create = { model: 'client-made', files: { 'model.gguf': target.digest }, system: 'Be brief.' } as const;
      const statuses: ProgressResponse[] = [];
      for await (const status of await client.create({ ...create, stream: true } as never)) {
        statuses.push(status);
      }
      expect(statuses.at(-1)?.status).toBe('success');
      const derived = await client.create({ model: 'client-derived', from: 'client-made', parameters: { temperature: 0.5 } });
      expect(derived.status).toBe('success');
      await client.copy({ source: 'client-derived', destination: 'client-copy:v2' });
      expect((await client.show({ model: 'client-copy:v2' })).parameters).toContain('temperature');
      for (const model of ['client-made', 'client-derived', 'client-copy:v2']) {
        await client.delete({ model });
      }
      const { models } = await client.list();
      expect(models.filter(({ name }) => name.startsWith('client-'))).toEqual([]);
      await expect(client.delete({ model: 'client-made' })).rejects.toThrow("model 'client-made' not found");
    });

    it('aborts a stream', async () => {
      const stream = await client.chat({
        model: target.model,
        messages: [{ role: 'user', content: 'Count for a very long time.' }],
        stream: true,
        options: { num_predict: 2000 },
      });
      const read = async (): Promise<void> => {
        for await (const part of stream) {
          expect(part.done).toBe(false);
          stream.abort();
        }
      };
      await expect(read()).rejects.toThrow(/abort/i);
    });

    it('reports a missing model and a wrong option', async () => {
      await expect(client.generate({ model: 'nope', prompt: 'x' })).rejects.toThrow("model 'nope' not found");
      const wrong = { num_ctx: 'many' } as never;
      await expect(client.generate({ model: target.model, prompt: 'x', options: wrong })).rejects.toThrow(
        'option "num_ctx" must be of type integer',
      );
    });

    it('gets an error from routes that do not exist yet', async () => {
      await expect(client.embed({ model: target.model, input: 'x' })).rejects.toThrow('404 page not found');
      await expect(client.embeddings({ model: target.model, prompt: 'x' })).rejects.toThrow('404 page not found');
      await expect(client.pull({ model: 'x' })).rejects.toThrow('404 page not found');
      await expect(client.push({ model: 'x' })).rejects.toThrow('404 page not found');
    });
  });
}
