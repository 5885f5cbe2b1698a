import type { FastifyInstance } from 'fastify';
import { showRequestBody, type ShowRequest, type ShowResponse } from '../../api/index.js';
import { TarsError } from '../../errors/index.js';
import { displayModelName, formatParameters, modelfileOfModel, type StoredModel } from '../../registry/index.js';
import { modelDetails } from '../model-details.js';
import { requireModelName } from '../model-lookup.js';
import { readJsonBody } from '../request-body.js';
import type { Services } from '../services.js';
import { localTimestamp } from '../wall-clock.js';

/** `POST /api/show`. */
export function registerShowModel(app: FastifyInstance, services: Services): void {
  app.post('/api/show', async (request, reply) => {
    const body = await readJsonBody(request, showRequestBody);
    const requested = body.model || body.name || '';
    if (requested === '') {
      throw new TarsError('MODEL_REQUIRED');
    }
    const name = requireModelName(requested);
    const model = await services.store.get(name);
    if (model === undefined) {
      // Here, unlike elsewhere, the name comes with its tag; clients pull what this text names.
      throw new TarsError('MODEL_NOT_FOUND', { model: displayModelName(name) });
    }
    const response = await showModel(services, model, body);
    if (request.headers['user-agent']?.startsWith('GitHubCopilotChat/') === true) {
      response.model_info['general.basename'] = requested;
    }
    return reply.send(response);
  });
}

/** Keys in wire order; empty texts are left out. */
async function showModel({ profiles }: Services, model: StoredModel, request: Partial<ShowRequest>): Promise<ShowResponse> {
  const { facts, template, capabilities } = await profiles.profile(model);
  const system = request.system || model.system;
  return {
    license: model.licenses.join('\n') || undefined,
    modelfile: modelfileOfModel(model, template.text, {
      ...(system !== undefined && { system }),
      ...(request.options !== undefined && { parameters: request.options }),
    }),
    parameters: formatParameters(model.parameters) || undefined,
    template: template.text || undefined,
    system: system || undefined,
    details: modelDetails(model, facts.description.fileTypeName),
    messages: model.messages.length > 0 ? model.messages : undefined,
    model_info: request.verbose === true ? await profiles.verboseModelInfo(model) : { ...facts.modelInfo },
    tensors: facts.tensors,
    capabilities: capabilities.length > 0 ? capabilities : undefined,
    modified_at: localTimestamp(model.modifiedAt),
    requires: model.config.requires || undefined,
  };
}
