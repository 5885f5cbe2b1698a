// The official `ollama` client against the real server: a random-weight model of our own, so that nothing must be fetched.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describeOllamaClient } from '../clients/describe-ollama-client.js';
import { ServerProcess } from '../fixtures/server-process.js';

describeOllamaClient('ollama npm client, real engine', async () => {
  const server = await ServerProcess.start();
  const weights = readFileSync(path.resolve(import.meta.dirname, '..', 'fixtures', 'truth', 'qwen3.gguf'));
  return {
    url: server.url,
    model: 'tars-demo:latest',
    weights,
    digest: `sha256:${createHash('sha256').update(weights).digest('hex')}`,
    hasThinkingAndTools: true,
    close: () => server[Symbol.asyncDispose](),
  };
});
