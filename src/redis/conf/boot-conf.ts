import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { Secret } from '../../domain/secret.ts';
import { canonicalName } from '../../formats/conf/aliases.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import { printable } from '../../lib/text/printable.ts';
import { harmlessEnvironment, lowerPriority } from '../../lib/process/run-program.ts';
import { giveToUnprivileged, unprivileged } from '../../lib/process/unprivileged.ts';
import { connectRedis, type RedisConnection } from '../connection/connect.ts';
import type { ConfEntry } from './resolve-conf.ts';
import { makeScratchFolder, recordServer } from '../scratch/scratch-folder.ts';
import { LastLines } from '../scratch/scratch-log.ts';

export interface BootOptions {
  program: { path: string; argv0: string };
  /** The configuration with all that it includes, in order. */
  entries: readonly ConfEntry[];
  /** What its aclfile holds; undefined: it has none. */
  aclfile: string | undefined;
  /** A port of loopback for TLS, where its files are to be tried. */
  tlsPort?: number | undefined;
  directory: string;
  /** As whom, where we are root: the server's own user, who may read what the files name. */
  user: UserId | undefined;
  clock: Clock;
  signal: AbortSignal;
}

/** What a server has made of its configuration. */
export interface Booted {
  /** CONFIG GET *. */
  config: ReadonlyMap<string, string>;
  /** ACL LIST, with one of ours besides. */
  users: string[];
}

/** Directives that would have it act as the real one: where it listens, where it writes, whom it follows. */
const replaced = new Set([
  'dir',
  'port',
  'bind',
  'bind-source-addr',
  'tls-port',
  'unixsocket',
  'unixsocketperm',
  'logfile',
  'pidfile',
  'daemonize',
  'supervised',
  'appendonly',
  'dbfilename',
  'appendfilename',
  'appenddirname',
  'replicaof',
  'cluster-enabled',
  'cluster-config-file',
  'cluster-port',
  'aclfile',
  'syslog-enabled',
  'rename-command',
  'include',
  'server-cpulist',
  'oom-score-adj',
  'sentinel',
]);

/** Not tried by a start in a scratch folder: the plan's own judges look at them. */
export function isReplaced(name: string): boolean {
  return replaced.has(canonicalName(name));
}

const startTimeout = 30_000;
const name = 'redis-agent-scratch';

/**
 * Starts the server's own program with a configuration in a folder of its own, on a unix socket, and returns what it makes of
 * it: there is no other way to try a redis.conf. Rejects with an AgentError `refused` that says which line it does not take.
 */
export async function bootConf(options: BootOptions): Promise<Booted> {
  const { program, user } = options;
  const folder = await makeScratchFolder(options.directory);
  const password = randomBytes(24).toString('hex');
  try {
    const login = `user ${name} on >${password} ~* +@all`;
    const lines = options.entries
      .filter((entry) => !isReplaced(entry.name))
      .map(({ name: directive, values, place }) => {
        const words = place === undefined ? values.map(quoted) : place.words.map(({ raw }) => raw);
        return [directive, ...words].join(' ');
      });
    const own = [
      'port 0',
      options.tlsPort === undefined ? 'tls-port 0' : `tls-port ${options.tlsPort}`,
      'bind 127.0.0.1',
      'unixsocket s',
      'unixsocketperm 700',
      'logfile ""',
      'daemonize no',
      'appendonly no',
      options.aclfile === undefined ? login : 'aclfile users.acl',
    ];
    // A server that is built without TLS knows no tls-port.
    const kept = options.tlsPort === undefined ? own.filter((line) => !line.startsWith('tls-')) : own;
    if (options.aclfile !== undefined)
      await writeFile(join(folder, 'users.acl'), `${options.aclfile.replace(/\n?$/, '\n')}${login}\n`, {
        mode: 0o600,
      });
    await symlink(program.path, join(folder, program.argv0));
    giveToUnprivileged(folder, user);
    return await ask(folder, options, [...lines, ...kept, ''].join('\n'), new Secret(password));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function ask(
  folder: string,
  { program, user, clock, signal }: BootOptions,
  conf: string,
  password: Secret,
): Promise<Booted> {
  // From its standard input: passwords of a configuration come to lie nowhere, and nobody needs a way to it.
  const words = [`./${program.argv0}`, '-'];
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  const [command = '', ...args] =
    setpriv === undefined ? words : [setpriv, '--pdeathsig', 'KILL', '--no-new-privs', ...words];
  const child = spawn(command, args, {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: harmlessEnvironment(),
    ...unprivileged(user),
  });
  const log = new LastLines();
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      hasEnded = true;
      resolve();
    };
    child.once('close', end);
    child.once('error', (error) => {
      log.add(Buffer.from(`${messageOf(error)}\n`));
      if (child.pid === undefined) end();
    });
  });
  // One that ends at once reads nothing; its exit says why.
  child.stdin.on('error', () => {});
  child.stdin.end(conf);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => log.add(chunk));
  let connection: RedisConnection | undefined;
  try {
    if (child.pid !== undefined) {
      recordServer(folder, child.pid);
      lowerPriority(child.pid);
    }
    const start = clock.monotonic();
    const target = { name: 'scratch', url: `unix://${join(folder, 's')}`, username: name, password };
    while (connection === undefined) {
      if (hasEnded) throw notTaken(log.get());
      connection = await connectRedis(target).catch((error: unknown) => {
        if (clock.monotonic() - start > startTimeout) throw error;
        return undefined;
      });
      if (connection === undefined) await clock.sleep(10, signal);
    }
    const reply = await connection.call('CONFIG', 'GET', '*');
    const found = Array.isArray(reply) ? reply.map(String) : [];
    const list = await connection.call('ACL', 'LIST');
    return {
      config: new Map(
        found.flatMap((key, at) => (at % 2 === 0 ? [[key, found[at + 1] ?? ''] as const] : [])),
      ),
      users: Array.isArray(list) ? list.map(String) : [],
    };
  } finally {
    connection?.close();
    child.kill('SIGKILL');
    await ended;
  }
}

/** Its own words; of a line that it quotes only the name of the directive, since values may be secrets. */
function notTaken(lines: readonly string[]): AgentError {
  const quote = lines.findIndex((line) => line.startsWith(">>> '"));
  const directive = quote === -1 ? undefined : /^>>> '\s*([\w-]+)/.exec(lines[quote] ?? '')?.[1];
  // Of TLS the last line only says that there is a line before it.
  const last = lines.findLast((line) => !line.endsWith('Check logs for more info.')) ?? lines.at(-1);
  const why = quote === -1 ? (last ?? 'it said nothing') : (lines[quote + 1] ?? '');
  return new AgentError(
    'refused',
    `the server’s own program does not start with that configuration: ${directive === undefined ? '' : `${directive}: `}${printable(why.replace(/^\d+:\w [^*#]*[*#] /, ''))}`,
    {
      reason: 'boot',
      hint: 'nothing was changed; see every line that is wrong: redis-agent audit --conf FILE',
    },
  );
}

function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)}"`;
}
