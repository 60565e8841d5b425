import { readFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { systemCode } from '../../domain/errors.ts';
import { listenHere } from './replication-master.ts';

/** Ports from here to below `end` are taken: old programs look for their own from 512 on. */
const range = { start: 256, end: 512 };
const tries = 40;

/**
 * A listening socket on loopback whose port nobody but root could take, also when we have ended: for a root that gives
 * itself up afterwards. Undefined where we are not root, or where this host lets everybody have such ports.
 */
export async function reserveLowPort(): Promise<Server | undefined> {
  if (unprivilegedFrom() < range.end) return undefined;
  const known = knownPorts(readText('/etc/services'));
  const free = Array.from({ length: range.end - range.start }, (_, index) => range.start + index).filter(
    (port) => !known.has(port),
  );
  for (let count = 0; count < tries && free.length > 0; count++) {
    const [port = 0] = free.splice(Math.floor(Math.random() * free.length), 1);
    try {
      return await listenHere('127.0.0.1', port);
    } catch (error) {
      // Root of a container may lack the right.
      if (systemCode(error) === 'EACCES') return undefined;
      if (systemCode(error) !== 'EADDRINUSE') throw error;
    }
  }
  return undefined;
}

/** ip_unprivileged_port_start: containers often have 0. */
function unprivilegedFrom(): number {
  return Number(readText('/proc/sys/net/ipv4/ip_unprivileged_port_start') || 0);
}

/** The TCP ports of services(5). */
export function knownPorts(services: string): Set<number> {
  return new Set([...services.matchAll(/^[^#\s]+\s+(\d+)\/tcp\b/gm)].map(([, port]) => Number(port)));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
