// Guard against DNS rebinding: a server on the loopback interface answers only to names that mean this machine.
import { BlockList, isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { FastifyReply, FastifyRequest } from 'fastify';

const localSuffixes = ['.localhost', '.local', '.internal'];

function createLocalAddresses(): BlockList {
  const list = new BlockList();
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addSubnet('10.0.0.0', 8, 'ipv4');
  list.addSubnet('172.16.0.0', 12, 'ipv4');
  list.addSubnet('192.168.0.0', 16, 'ipv4');
  list.addAddress('0.0.0.0', 'ipv4');
  list.addAddress('::1', 'ipv6');
  list.addAddress('::', 'ipv6');
  list.addSubnet('fc00::', 7, 'ipv6');
  return list;
}

function isOwnAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((infos) => infos?.some((info) => info.address === address) === true);
}

function hostWithoutPort(header: string): string {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header);
  return match === null ? header : (match[1] ?? match[2] ?? header);
}

/** True for a listening address that only this machine can reach. */
export function isLoopbackHost(host: string): boolean {
  return host.toLowerCase() === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** A hook that answers 403 with an empty body to any other host name; `OPTIONS` to an allowed name is answered 204. */
export function hostCheckHook(): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const localAddresses = createLocalAddresses();
  const ownName = hostname().toLowerCase();
  return async (request, reply) => {
    const host = hostWithoutPort(request.headers.host ?? '');
    const family = isIP(host);
    if (family !== 0 && (localAddresses.check(host, family === 4 ? 'ipv4' : 'ipv6') || isOwnAddress(host))) {
      return;
    }
    const name = host.toLowerCase();
    const isAllowedName =
      name === '' || name === 'localhost' || name === ownName || localSuffixes.some((suffix) => name.endsWith(suffix));
    if (!isAllowedName) {
      void reply.code(403).send();
    } else if (request.method === 'OPTIONS') {
      void reply.code(204).send();
    }
  };
}
