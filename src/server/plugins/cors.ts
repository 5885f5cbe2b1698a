// Cross-origin rules of Ollama. @fastify/cors cannot express them: a foreign origin is refused on every method and path.
import type { FastifyReply, FastifyRequest } from 'fastify';

const allowedMethods = 'GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS';

const allowedHeaders = [
  'Authorization',
  'Content-Type',
  'User-Agent',
  'Accept',
  'X-Requested-With',
  'Openai-Beta',
  'X-Stainless-Arch',
  'X-Stainless-Async',
  'X-Stainless-Custom-Poll-Interval',
  'X-Stainless-Helper-Method',
  'X-Stainless-Lang',
  'X-Stainless-Os',
  'X-Stainless-Package-Version',
  'X-Stainless-Poll-Helper',
  'X-Stainless-Retry-Count',
  'X-Stainless-Runtime',
  'X-Stainless-Runtime-Version',
  'X-Stainless-Timeout',
].join(',');

const maxAgeSeconds = '43200';

/** A pattern with at most one `*`, which stands for any text. Case counts. */
function matchesOrigin(pattern: string, origin: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) {
    return pattern === origin;
  }
  const [prefix, suffix] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return origin.length >= prefix.length + suffix.length && origin.startsWith(prefix) && origin.endsWith(suffix);
}

/** A hook that refuses foreign origins (403, empty), answers preflights (204) and marks other replies. */
export function corsHook(origins: readonly string[]): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const isEveryOriginAllowed = origins.includes('*');
  return async (request, reply) => {
    const { origin, host } = request.headers;
    if (origin === undefined || origin === '' || origin === `http://${host}` || origin === `https://${host}`) {
      return;
    }
    if (!isEveryOriginAllowed && !origins.some((pattern) => matchesOrigin(pattern, origin))) {
      void reply.code(403).send();
      return;
    }
    reply.header('access-control-allow-origin', isEveryOriginAllowed ? '*' : origin);
    const isPreflight = request.method === 'OPTIONS';
    if (!isEveryOriginAllowed) {
      const vary = ['Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers'];
      reply.header('vary', isPreflight ? vary : 'Origin');
    }
    if (isPreflight) {
      reply.header('access-control-allow-methods', allowedMethods);
      reply.header('access-control-allow-headers', allowedHeaders);
      reply.header('access-control-max-age', maxAgeSeconds);
      void reply.code(204).send();
    }
  };
}
