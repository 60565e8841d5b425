import { spawn, type ChildProcess } from 'node:child_process';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { infoInteger } from '../../formats/info/parse-info.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import { confine } from '../../lib/process/confine.ts';
import { harmlessEnvironment, lowerPriority } from '../../lib/process/run-program.ts';
import { giveToUnprivileged, unprivileged } from '../../lib/process/unprivileged.ts';
import { connectRedis, type RedisConnection } from '../connection/connect.ts';
import type { Feed } from '../replication/replica-link.ts';
import { lendFile, linkScratchAof, type ScratchAof } from './scratch-aof.ts';
import { withoutCommands, type OwnNames } from './scratch-commands.ts';
import { nobody, prepareFeed } from './scratch-feed.ts';
import { longestSocketPath, makeScratchFolder, recordServer } from './scratch-folder.ts';
import { explainEnd, LastLines } from './scratch-log.ts';
import { saveScratch } from './scratch-save.ts';
import { readInfo } from '../server.ts';

export interface ScratchOptions {
  /** The server's program, by whatever name it lies there; `argv0` is `redis-server` or `valkey-server`. */
  program: { path: string; argv0: string };
  /** Where its private folder is made. Mind that a unix socket's path has room for 107 bytes. */
  directory: string;
  /** Loaded from where it is, and never written to. */
  dumpFile?: string;
  /** A dump that is still being made, instead: loaded as it comes, and its CRC64 left to whoever makes it. */
  feed?: Feed;
  /** An append only file, instead of a dump; loaded like `dumpFile`. */
  aof?: ScratchAof;
  /** How many databases it has, where it is to take no more than another server does. */
  databases?: number | undefined;
  /**
   * As whom it runs where we are root: whoever may read what it loads. Left out: nobody, to whom what it loads from
   * `directory` has been given (giveToUnprivileged).
   */
  user?: UserId | undefined;
  clock: Clock;
  signal: AbortSignal;
  /** Share of the dump that is loaded, 0..1; of a feed, that the server's side has taken. */
  onProgress?: (share: number) => void;
}

/** A throw-away server that holds a dump, reachable only through a socket in a private folder. */
export interface ScratchServer extends AsyncDisposable {
  readonly connection: RedisConnection;
  readonly pid: number;
  /** By what names it knows the commands that are taken away from everybody else. */
  readonly own: OwnNames;
  /** Has it write all that it holds, as it holds it, into its folder; resolves with the file. See saveScratch. */
  save(): Promise<string>;
  /** Kills it and removes its folder. May be called twice. */
  stop(): Promise<void>;
}

const socketName = 's';
const mostDatabases = 1024;
/** Milliseconds until it must listen; what it loads may then take any time. */
const startTimeout = 30_000;

/**
 * Starts a server at the host's lowest priority, never as root, and waits until it has loaded everything. It saves nothing, listens on
 * no port and dies with this process. It is a replica of nobody: replicas keep keys whose time to live is over, so every
 * key of the dump can be counted, and refuse writes.
 *
 * Rejects with the signal's reason; with an AgentError `damaged` when it cannot load the dump because of the dump, and
 * `failed` when it did not come up for another reason. Both quote its log. Nothing is left then. A server that does not
 * take a feed, whatever for, mostly just drops the link (`failed`, `link`): only a load from a file tells why.
 */
export async function startScratchServer(options: ScratchOptions): Promise<ScratchServer> {
  options.signal.throwIfAborted();
  const folder = await makeScratchFolder(options.directory);
  try {
    const socket = socketIn(folder);
    if (options.dumpFile !== undefined) await lendFile(options.dumpFile, join(folder, 'dump.rdb'));
    // Called through a link, since the program acts by its name: redis-server is often a link to redis-check-rdb.
    await symlink(options.program.path, join(folder, options.program.argv0));
    const aof =
      options.aof === undefined ? ['--appendonly', 'no'] : await linkScratchAof(folder, options.aof);
    giveToUnprivileged(folder, options.user);
    return await launch(options, { folder, socket, aof });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function socketIn(folder: string): string {
  const socket = join(folder, socketName);
  if (Buffer.byteLength(socket) <= longestSocketPath) return socket;
  throw new AgentError('failed', `the path ${socket} is too long for a unix socket`, {
    reason: 'path',
    hint: 'choose a shorter state.path',
  });
}

async function launch(
  options: ScratchOptions,
  { folder, socket, aof }: { folder: string; socket: string; aof: string[] },
): Promise<ScratchServer> {
  const { clock, signal, feed, onProgress } = options;
  const feeding =
    feed === undefined
      ? undefined
      : await prepareFeed({ feed, user: options.user, clock, signal, onProgress });
  const { directives: renamed, names } = withoutCommands();
  const databases = ['--databases', String(options.databases ?? mostDatabases)];
  const directives = [
    ...databases,
    ...renamed,
    ...aof,
    ...(feeding?.directives ?? ['--replicaof', ...nobody]),
  ];
  const { child, ended, throwIfEnded } = spawnServer(options, folder, directives);
  let connection: RedisConnection | undefined;
  const stop = async (): Promise<void> => {
    connection?.close();
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    if (child.pid !== undefined) await deprioritise(child.pid, folder);
    connection = await untilListening(options, socket, throwIfEnded);
    if (feeding === undefined) await untilLoaded(options, connection, throwIfEnded);
    else await feeding.load({ connection, throwIfEnded, replicaof: names.REPLICAOF });
  } catch (error) {
    await stop();
    signal.throwIfAborted();
    throw error;
  } finally {
    await feeding?.[Symbol.asyncDispose]();
  }
  const loaded = connection;
  const save = (): Promise<string> =>
    saveScratch(loaded, { folder, command: names.SAVE, clock, signal, throwIfEnded });
  return { connection, pid: child.pid ?? 0, own: names, save, stop, [Symbol.asyncDispose]: stop };
}

interface Spawned {
  child: ChildProcess;
  /** Resolves when it has ended and all its output has been read. */
  ended: Promise<void>;
  throwIfEnded(this: void): void;
}

function spawnServer(
  { program: { argv0 }, aof, user }: ScratchOptions,
  folder: string,
  directives: string[],
): Spawned {
  // From its own folder, which is entered before root is given up: nobody else needs a way there.
  const program = `./${argv0}`;
  const options = [
    ['--port', '0', '--unixsocket', socketName, '--unixsocketperm', '700', '--protected-mode', 'yes'],
    ['--save', '', '--dir', '.', '--dbfilename', 'dump.rdb'],
    ['--daemonize', 'no', '--supervised', 'no'],
    directives,
  ].flat();
  // Without setpriv a killed agent leaves its server behind, for sweepScratch to end.
  const { command, args, detached } = confine(program, options);
  const child = spawn(command, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: harmlessEnvironment(),
    detached,
    ...unprivileged(user),
  });
  const log = new LastLines();
  child.stdout.on('data', (chunk: Buffer) => log.add(chunk));
  child.stderr.on('data', (chunk: Buffer) => log.add(chunk));
  let hasEnded = false;
  const ended = new Promise<void>((settle) => {
    const end = (): void => {
      hasEnded = true;
      settle();
    };
    child.once('close', end);
    child.once('error', (error) => {
      log.add(Buffer.from(`${messageOf(error)}\n`));
      if (child.pid === undefined) end();
    });
  });
  return {
    child,
    ended,
    throwIfEnded() {
      if (hasEnded) throw explainEnd(log.get(), child.signalCode, { isAof: aof !== undefined });
    },
  };
}

async function deprioritise(pid: number, folder: string): Promise<void> {
  recordServer(folder, pid);
  lowerPriority(pid);
  // When memory runs out, this goes first. Lowering one's own chances needs no right.
  await writeFile(`/proc/${pid}/oom_score_adj`, '1000').catch(() => undefined);
}

async function untilListening(
  { clock, signal }: ScratchOptions,
  socket: string,
  throwIfEnded: () => void,
): Promise<RedisConnection> {
  const target = { name: 'scratch', url: `unix://${pathToFileURL(socket).pathname}` };
  const start = clock.monotonic();
  for (;;) {
    throwIfEnded();
    try {
      return await connectRedis(target);
    } catch (error) {
      if (clock.monotonic() - start > startTimeout) throw error;
    }
    await clock.sleep(10, signal);
  }
}

async function untilLoaded(
  { clock, signal, onProgress }: ScratchOptions,
  connection: RedisConnection,
  throwIfEnded: () => void,
): Promise<void> {
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 500)) {
    throwIfEnded();
    // One huge value can keep it from answering for long, and a lost connection means that it is ending.
    const info = await readInfo(connection).catch(() => undefined);
    if (info?.get('loading') === '0') return;
    const total = info && infoInteger(info, 'loading_total_bytes');
    const loaded = info && infoInteger(info, 'loading_loaded_bytes');
    if (total !== undefined && total > 0 && loaded !== undefined) onProgress?.(Math.min(1, loaded / total));
    await clock.sleep(pause, signal);
  }
}
