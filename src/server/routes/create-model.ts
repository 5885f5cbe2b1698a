import type { FastifyInstance } from 'fastify';
import { createRequestBody, type CreateWireRequest } from '../../api/index.js';
import { TarsError, errorMessage } from '../../errors/index.js';
import type { CreateRequest, ProgressStatus } from '../../registry/index.js';
import { OllamaTemplate } from '../../template/index.js';
import { requireModelName } from '../model-lookup.js';
import { sendNdjson } from '../ndjson.js';
import { readJsonBody } from '../request-body.js';
import type { Services } from '../services.js';

/** `POST /api/create`: progress as lines, or only the last status. */
export function registerCreateModel(app: FastifyInstance, { store, active }: Services): void {
  app.post('/api/create', async (request, reply) => {
    const body = await readJsonBody(request, createRequestBody);
    const create = createRequest(body);
    const signal = active.track(reply);
    if (body.stream ?? true) {
      return sendNdjson(reply, (emit) => store.create(create, emit, signal));
    }
    let last: ProgressStatus = { status: 'success' };
    await store.create(create, (status) => (last = status), signal);
    return reply.send(last);
  });
}

/** Checks of the request itself, before anything is read or written. */
function createRequest(body: Partial<CreateWireRequest>): CreateRequest {
  const name = requireModelName(body.model || body.name || '');
  const { files, adapters, from, template, system, parameters, messages, renderer, parser, requires } = body;
  for (const [file, digest] of Object.entries({ ...files, ...adapters })) {
    if (file.startsWith('/') || file.split(/[\\/]/).includes('..') || file === '') {
      throw new TarsError('BAD_REQUEST', { reason: 'file path must be relative' });
    }
    if (digest === '') {
      throw new TarsError('BAD_REQUEST', { reason: 'invalid digest format' });
    }
  }
  if (from === undefined && files === undefined) {
    throw new TarsError('BAD_REQUEST', { reason: "neither 'from' or 'files' was specified" });
  }
  if (adapters !== undefined && Object.keys(adapters).length > 0) {
    throw new TarsError('BAD_REQUEST', { reason: 'adapters are not supported' });
  }
  checkTemplate(template);
  return {
    name,
    ...(from !== undefined && from !== '' && { from: requireModelName(from) }),
    files,
    template,
    system,
    licenses: licenseTexts(body.license),
    parameters,
    messages: messages?.map(({ role, content }) => ({ role, content })),
    quantize: body.quantize || body.quantization,
    renderer,
    parser,
    requires,
  };
}

/** A template that cannot be parsed is refused before anything is written. */
function checkTemplate(template: string | undefined): void {
  try {
    if (template !== undefined) {
      new OllamaTemplate(template);
    }
  } catch (error) {
    throw new TarsError('BAD_REQUEST', { reason: `template error: ${errorMessage(error)}` }, { cause: error });
  }
}

function licenseTexts(license: unknown): readonly string[] | undefined {
  if (license === undefined) {
    return undefined;
  }
  if (typeof license === 'string') {
    return license === '' ? [] : [license];
  }
  if (Array.isArray(license) && license.every((text): text is string => typeof text === 'string')) {
    return license;
  }
  const type = Array.isArray(license) ? 'array' : typeof license;
  throw new TarsError('INTERNAL', { reason: `json: cannot unmarshal ${type} into Go value of type []string` });
}
