import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { networkInterfaces, totalmem } from 'node:os';
import { basename, dirname } from 'node:path';
import type { EngineVersion } from '../../formats/conf/engine.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import { readCgroupMemory } from '../../lib/memory/host-memory.ts';
import { runCommand } from '../../lib/process/run-command.ts';
import { findProcess } from '../../redis/process/data-process.ts';
import { listeningSockets } from '../../redis/process/proc-sockets.ts';
import { hasSameFiles, isContained } from '../../redis/conf/same-files.ts';
import { findServerProcess } from '../../redis/process/server-process.ts';
import { seen, type HostFacts, type PathFacts, type Seen, type UnitFacts } from '../facts.ts';
import { pathFacts } from './read-files.ts';
import { readPackage } from './read-package.ts';

const unitProperties =
  'Id,Type,UMask,LimitNOFILE,TimeoutStartUSec,ProtectSystem,ProtectHome,NoNewPrivileges,PrivateTmp,PrivateDevices,User,ExecStart';

export interface ServerOnHost {
  facts: HostFacts;
  /** Whose the process is: with these rights its files are read. */
  user: UserId | undefined;
  /** Its files are ours too: no container, or none with other mounts. */
  sameFiles: boolean;
}

/** The server's process and its host, where it runs here; undefined where it does not, or hides in a container. */
export async function readHost(
  info: Info,
  url: string,
  engine: EngineVersion,
  config: ReadonlyMap<string, string> | undefined,
  signal: AbortSignal,
): Promise<ServerOnHost | undefined> {
  const process = await findServerProcess(info, url);
  if (process === undefined) return undefined;
  const { pid, executable } = process;
  const owner = await findProcess(pid);
  const user = owner && { uid: owner.uid, gid: owner.gid };
  const folder = `/proc/${pid}`;
  const text = (path: string): string | undefined => attempt(() => readFileSync(path, 'utf8'));
  const cgroup = text(`${folder}/cgroup`) ?? '';
  const sameFiles = hasSameFiles(pid);
  const exe = attempt(() => readlinkSync(`${folder}/exe`));
  const sockets = await listeningSockets(folder);
  const other = `it runs in a container with files of its own`;
  const path = (value: string | undefined, what: string): Seen<PathFacts> => {
    if (!sameFiles) return { missing: other };
    if (value === undefined || value === '') return { absent: `there is no ${what}` };
    const facts = pathFacts(value);
    return facts === undefined ? { missing: `${what} ${value} cannot be seen` } : seen(facts);
  };
  const socketPath = config?.get('unixsocket');
  const socket = path(socketPath, 'unix socket');
  const unit = await readUnit(cgroup, signal);
  const facts: HostFacts = {
    pid,
    uid: owner === undefined ? { missing: `/proc/${pid}/status` } : seen(owner.uid),
    unit,
    openFiles: limitOf(text(`${folder}/limits`)),
    sockets:
      sockets.length === 0
        ? { missing: 'its sockets (run as root)' }
        : seen(sockets.map((each) => ('socket' in each ? each.socket : `${each.host}:${each.port}`))),
    addresses: Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []),
    replaced:
      exe === undefined ? { missing: `/proc/${pid}/exe (run as root)` } : seen(exe.endsWith(' (deleted)')),
    overcommit: textOf(text('/proc/sys/vm/overcommit_memory'), '/proc/sys/vm/overcommit_memory'),
    hugePages: chosen(text('/sys/kernel/mm/transparent_hugepage/enabled')),
    somaxconn: numberOf(text('/proc/sys/net/core/somaxconn'), '/proc/sys/net/core/somaxconn'),
    memory: Math.min(totalmem(), (await readCgroupMemory(pid))?.limit ?? Infinity),
    passwordsInArguments: seen(passwordsInArguments()),
    dataDir: path(config?.get('dir'), 'data folder'),
    socket:
      socket.value === undefined
        ? socket
        : seen({
            ...socket.value,
            folderMode: attempt(() => statSync(dirname(socketPath ?? '/')).mode) ?? 0o777,
          }),
    keyFile: path(config?.get('tls-key-file'), 'TLS key'),
    container: isContained(cgroup),
    package: sameFiles
      ? await readPackage(executable ?? programOf(unit), engine.version, signal)
      : { missing: other },
  };
  return { facts, user, sameFiles };
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

function textOf(text: string | undefined, path: string): Seen<string> {
  return text === undefined ? { missing: path } : seen(text.trim());
}

function numberOf(text: string | undefined, path: string): Seen<number> {
  return text === undefined ? { missing: path } : seen(Number(text));
}

/** `always [madvise] never` */
function chosen(text: string | undefined): Seen<string> {
  const word = /\[(\w+)\]/.exec(text ?? '')?.[1];
  return word === undefined ? { missing: '/sys/kernel/mm/transparent_hugepage/enabled' } : seen(word);
}

function limitOf(limits: string | undefined): Seen<number> {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits ?? '')?.[1];
  if (soft === undefined) return { missing: '/proc/PID/limits (run as root)' };
  return seen(soft === 'unlimited' ? Infinity : Number(soft));
}

async function readUnit(cgroup: string, signal: AbortSignal): Promise<Seen<UnitFacts>> {
  if (!existsSync('/run/systemd/system')) return { absent: 'this host has no systemd' };
  const id = /\/([\w@.-]+\.service)(?:\/|$)/m.exec(cgroup)?.[1];
  if (id === undefined || id.startsWith('user@')) return { absent: 'it runs in no unit of systemd' };
  const shown = await runCommand(
    ['systemctl', 'show', `--property=${unitProperties}`, '--', id],
    signal,
  ).catch(() => undefined);
  if (shown?.exitCode !== 0) return { missing: `systemctl show ${id}` };
  const properties = shown.stdout.split('\n').flatMap((line) => {
    const equals = line.indexOf('=');
    return equals > 0 ? [[line.slice(0, equals), line.slice(equals + 1)] as const] : [];
  });
  return seen({ id, properties: new Map(properties) });
}

/** What its unit starts: which program a process of another user runs, only root sees. */
function programOf(unit: Seen<UnitFacts>): string | undefined {
  return /^\{ path=(\/\S+) ;/.exec(unit.value?.properties.get('ExecStart') ?? '')?.[1];
}

/** Only which process: what it says is never kept. */
function passwordsInArguments(): { pid: number; program: string }[] {
  const found: { pid: number; program: string }[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const words = attempt(() => readFileSync(`/proc/${name}/cmdline`, 'utf8'))?.split('\0') ?? [];
    if (hasPassword(words)) found.push({ pid: Number(name), program: basename(words[0] ?? '') });
  }
  return found;
}

function hasPassword(words: readonly string[]): boolean {
  const program = basename(words[0] ?? '');
  const tool = /^(?:redis|valkey)-(?:cli|benchmark)$|^redis_exporter$/.test(program);
  const server = /^(?:redis|valkey)-server$/.test(program);
  return words.some(
    (word, at) =>
      (tool &&
        ['-a', '--pass', '--redis.password', '-redis.password'].includes(word) &&
        (words[at + 1] ?? '') !== '') ||
      (tool && /^--?redis\.password=./.test(word)) ||
      (server && /^--(?:requirepass|masterauth)$/i.test(word) && (words[at + 1] ?? '') !== '') ||
      /^rediss?:\/\/[^/@\s]*:[^/@\s]+@/.test(word),
  );
}
