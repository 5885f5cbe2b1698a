// Redirects of Go's HTTP stack: an unclean path (`//`, `/./`, `/../`) and a slash behind a known path.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RouteTable } from '../route-table.js';

const reasons: Readonly<Record<number, string>> = { 301: 'Moved Permanently', 307: 'Temporary Redirect' };

/** Path of a raw URL, decoded; undefined when its escapes are broken. */
export function decodedPath(url: string): string | undefined {
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  try {
    return path.includes('%') ? decodeURIComponent(path) : path;
  } catch {
    return undefined;
  }
}

/** A hook that runs before every check. It answers the request when its path must be written differently. */
export function redirectHook(routes: RouteTable): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request, reply) => {
    const url = request.raw.url ?? '/';
    const path = decodedPath(url);
    if (path === undefined || !path.startsWith('/')) {
      return;
    }
    const query = url.includes('?') ? url.slice(url.indexOf('?')) : '';
    const clean = cleanPath(path);
    if (clean !== path) {
      sendRedirect(request, reply, 307, `${encodeURI(clean)}${query}`);
      return;
    }
    const slashless = path.slice(0, -1);
    if (path.length > 1 && path.endsWith('/') && routes.methods(slashless).includes(request.method)) {
      sendRedirect(request, reply, request.method === 'GET' ? 301 : 307, `${encodeURI(slashless)}${query}`);
    }
  };
}

/** Go's path.Clean, but a slash at the end stays. */
function cleanPath(path: string): string {
  if (!/\/(?:\/|\.{1,2}(?:\/|$))/.test(path)) {
    return path;
  }
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') {
      segments.pop();
    } else if (segment !== '' && segment !== '.') {
      segments.push(segment);
    }
  }
  const joined = `/${segments.join('/')}`;
  return path.endsWith('/') && joined !== '/' ? `${joined}/` : joined;
}

function sendRedirect(request: FastifyRequest, reply: FastifyReply, status: 301 | 307, location: string): void {
  void reply.code(status).header('location', location);
  if (request.method === 'GET') {
    const href = location.replaceAll('&', '&amp;').replaceAll('"', '&#34;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    void reply.type('text/html; charset=utf-8').send(`<a href="${href}">${reasons[status] ?? ''}</a>.\n\n`);
  } else {
    void reply.send();
  }
}
