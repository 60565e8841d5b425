import type { BigIntStats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { findServers, type ServerAddress } from './find-servers.ts';
import { findServerPids } from './server-pids.ts';

/** A server's process and whose it is. */
export interface DataProcess {
  pid: number;
  uid: number;
  gid: number;
}

/**
 * The servers that work in a data directory: each changes into its `dir` when it starts, and nothing else tells so surely
 * that none is there. Told by the directory itself and not by its path, which in a container may be that of another one.
 * Other users' processes show only to root.
 */
export async function findDataProcesses(path: string): Promise<DataProcess[]> {
  const directory = await stat(path, { bigint: true }).catch(() => undefined);
  if (directory === undefined) return [];
  const found = await Promise.all(findServerPids().map((pid) => look(pid, directory)));
  return found.filter((one) => one !== undefined);
}

async function look(pid: number, directory: BigIntStats): Promise<DataProcess | undefined> {
  try {
    const { dev, ino } = await stat(`/proc/${pid}/cwd`, { bigint: true });
    if (dev !== directory.dev || ino !== directory.ino) return undefined;
    return await ownerOf(pid);
  } catch {
    // It has ended meanwhile, or is hidden from us.
    return undefined;
  }
}

/**
 * Undefined when it has ended, also where its parent has not taken notice yet: then its first thread is a zombie. While it
 * has others, which end after that one may be, its port and files are still taken.
 */
async function ownerOf(pid: number): Promise<DataProcess | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  if (/^State:\s+[ZX]/m.test(status) && !/^Threads:\s+(?!1$)\d+$/m.test(status)) return undefined;
  const id = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+\\d+\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { pid, uid: id('Uid'), gid: id('Gid') };
}

/** Those of `found` that may serve `url`: two servers can share a directory, under other file names. */
export async function servingAt(found: readonly DataProcess[], url: string): Promise<DataProcess[]> {
  if (found.length === 0) return [];
  const { servers } = await findServers();
  return found.filter(({ pid }) => {
    const addresses = servers.find((server) => server.pid === pid)?.addresses ?? [];
    return addresses.length === 0 || addresses.some((address) => isAt(address, url));
  });
}

/** Servers that work in that directory and do not serve `url`, as far as can be seen: only root sees those of other users. */
export async function othersIn(path: string, url: string): Promise<DataProcess[]> {
  const found = await findDataProcesses(path);
  if (found.length < 2) return [];
  const { servers } = await findServers();
  const addressesOf = (pid: number): ServerAddress[] =>
    servers.find((server) => server.pid === pid)?.addresses ?? [];
  const isOurs = ({ pid }: DataProcess): boolean => addressesOf(pid).some((address) => serves(address, url));
  // A child that saves has its parent's folder, and no address of its own.
  return found.filter((one) => addressesOf(one.pid).length > 0 && !isOurs(one));
}

/** Is that where the URL leads? */
export function serves(address: ServerAddress, url: string): boolean {
  return 'socket' in address === url.startsWith('unix:') && isAt(address, url);
}

/** May it be, as far as can be told: who has a port may have a socket, too. */
function isAt(address: ServerAddress, url: string): boolean {
  const { protocol, port, pathname } = new URL(url);
  if ('socket' in address) return protocol !== 'unix:' || address.socket === decodeURIComponent(pathname);
  return protocol === 'unix:' || address.port === Number(port || 6379);
}

/** The process, if it has not ended. */
export async function findProcess(pid: number): Promise<DataProcess | undefined> {
  return ownerOf(pid).catch(() => undefined);
}
