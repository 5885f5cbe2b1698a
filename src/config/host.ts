// OLLAMA_HOST: where the server listens and where the command line connects.
import { isIP } from 'node:net';

export interface HostAddress {
  readonly scheme: string;
  /** Host name or IP address without brackets; empty means every interface. */
  readonly hostname: string;
  readonly port: number;
  /** Path prefix without slashes at the ends; only clients use it. */
  readonly path: string;
}

const ollamaPort = 11434;
const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** Splits `host:port`; undefined when there is no port (a bare name, a bare IPv6 address). */
function splitHostPort(text: string): { hostname: string; port: string } | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text);
  return match === null ? undefined : { hostname: match[1] ?? match[2] ?? '', port: match[3] ?? '' };
}

/**
 * Reads every form that Ollama takes: `host`, `host:port`, `:port`, `[v6]:port`, `v6`, `http://host` (port 80),
 * `https://host` (port 443), each with an optional path. A bad port falls back to the default one and is reported to `warn`.
 */
export function parseHost(text: string, warn: (message: string) => void = () => {}): HostAddress {
  const schemeEnd = text.indexOf('://');
  const scheme = schemeEnd < 0 ? 'http' : text.slice(0, schemeEnd);
  const defaultPort = schemeEnd < 0 ? ollamaPort : (defaultPorts[scheme] ?? ollamaPort);
  const rest = schemeEnd < 0 ? text : text.slice(schemeEnd + 3);
  const slash = rest.indexOf('/');
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? '' : rest.slice(slash).replace(/^\/+|\/+$/g, '');

  const split = splitHostPort(authority);
  if (split === undefined) {
    const bare = authority.replace(/^\[|\]$/g, '');
    return { scheme, hostname: isIP(bare) !== 0 ? bare : authority || '127.0.0.1', port: defaultPort, path };
  }
  const isPort = /^\d{1,5}$/.test(split.port) && Number(split.port) <= 65535;
  if (!isPort) {
    warn(`OLLAMA_HOST: invalid port ${JSON.stringify(split.port)}, using ${defaultPort}`);
  }
  return { scheme, hostname: split.hostname, port: isPort ? Number(split.port) : defaultPort, path };
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatHostPort(hostname: string, port: number): string {
  return `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`;
}

/** Base URL for a client: an address that means "every interface" is reached over the loopback one. */
export function clientUrl(host: HostAddress): string {
  const unspecified: Readonly<Record<string, string>> = { '': '127.0.0.1', '0.0.0.0': '127.0.0.1', '::': '::1' };
  const hostname = unspecified[host.hostname] ?? host.hostname;
  const path = host.path === '' ? '' : `/${host.path}`;
  return `${host.scheme}://${formatHostPort(hostname, host.port)}${path}`;
}
