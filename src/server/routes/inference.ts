import type { FastifyInstance } from 'fastify';
import { chatRequestBody, generateRequestBody } from '../../api/index.js';
import { chat } from '../inference/chat.js';
import { generate } from '../inference/generate.js';
import { sendReply } from '../inference/send-reply.js';
import { readJsonBody } from '../request-body.js';
import type { Services } from '../services.js';

/** `POST /api/generate` and `POST /api/chat`. A stream is the default. */
export function registerInference(app: FastifyInstance, services: Services): void {
  app.post('/api/generate', async (request, reply) => {
    const body = await readJsonBody(request, generateRequestBody);
    const result = await generate(services, body, services.active.track(reply));
    return sendReply(reply, result, body.stream ?? true);
  });
  app.post('/api/chat', async (request, reply) => {
    const body = await readJsonBody(request, chatRequestBody);
    const result = await chat(services, body, services.active.track(reply));
    return sendReply(reply, result, body.stream ?? true);
  });
}
