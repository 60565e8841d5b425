import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { connectRedis, type RedisConnection, type Reply } from '../../../src/redis/connection/connect.ts';
import { freePort } from './free-port.ts';
import { defaultBuild, type ServerBuild } from './server-builds.ts';
import { defaultDirectives, renderDirectives, type Directives } from './server-config.ts';
import { asServerUser, giveToServer, serverUser, serviceUser } from './server-user.ts';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';

/**
 * A server that others stop and start, as a restore does: nobody's child, found by the folder that it works in. It ends
 * with the test, whoever has started it last.
 */
export interface ManagedServer {
  readonly build: ServerBuild;
  /** The agent's instance settings. */
  readonly instance: Record<string, unknown>;
  readonly url: string;
  /** Its data; the configuration and log are beside it. */
  readonly dir: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly connection: RedisConnection;
  call(command: string, ...args: (string | number)[]): Promise<Reply>;
  /** Its processes that run now. */
  pids(): Promise<number[]>;
  /** By our own hand, until it has loaded. */
  start(): Promise<void>;
  /** Ends it without a last save. */
  kill(): Promise<void>;
  /** Connects anew, after somebody else has started it; waits until it has loaded. */
  reconnect(): Promise<void>;
  /** Ends it by SIGTERM and starts it again. */
  restart(): Promise<void>;
  /** Replaces directives of its configuration file. */
  configure(config: Directives): void;
}

export interface ManagedOptions {
  build?: ServerBuild;
  /** `folder`: its own, above its data. */
  config?: Directives | ((folder: string) => Directives);
  /** Written and not started. */
  down?: boolean;
  /** Words before the server's command where our own hand, which is root's, starts it: `unshare --net …`. */
  within?: readonly string[];
  /** No port, only a socket beside the configuration. */
  socket?: boolean;
  /** Of whoever connects here; the agent's own is part of its configuration. */
  password?: string;
  username?: string;
  /** Where our own hand starts it; a relative `dir` counts from there. Left out: the root, as for a service. */
  startIn?: (folder: string) => string;
}

/**
 * Servers that work in a folder or below it, wherever a test has moved its data. Synchronous: /proc answers at once, and
 * this is asked again and again while a server ends.
 */
function serversBelow(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => workingFolder(pid).startsWith(`${folder}/`) && isServer(pid))
    .map(Number);
}

/** One that has ended has none, also where nobody has taken notice yet. */
function workingFolder(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

function isServer(pid: string): boolean {
  try {
    return ['redis-server', 'valkey-server'].includes(readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
  } catch {
    return false;
  }
}

export async function manageServer(options: ManagedOptions = {}): Promise<ManagedServer> {
  const { build = defaultBuild(), config = {}, down = false, socket = false, password, username } = options;
  const folder = makeTempFolder();
  const dir = join(folder, 'data');
  mkdirSync(dir, { mode: 0o750 });
  const port = await freePort();
  const configFile = join(folder, 'redis.conf');
  const logFile = join(folder, 'redis.log');
  const path = join(folder, 'redis.sock');
  const url = socket ? `unix://${path}` : `redis://127.0.0.1:${port}`;
  const { unixsocket: _, unixsocketperm: __, ...defaults } = defaultDirectives(build, dir, port);
  let directives: Directives = {
    ...defaults,
    ...(socket ? { port: '0', unixsocket: path } : {}),
    logfile: logFile,
    ...(typeof config === 'function' ? config(folder) : config),
  };
  const start = [build.server, configFile];
  let connection: RedisConnection | undefined;

  const server: ManagedServer = {
    build,
    instance: { name: 'main', url, service: { start, ...serviceUser } },
    url,
    dir,
    configFile,
    logFile,
    get connection() {
      if (connection === undefined) throw new Error('not connected');
      return connection;
    },
    call: async (command, ...args) => await server.connection.call(command, ...args),
    pids: async () => serversBelow(folder),
    async start() {
      giveToServer(folder);
      const within = options.within === undefined ? [] : [...options.within, ...asServerUser];
      const [program = '', ...words] = [...within, ...start];
      spawn(program, words, {
        cwd: options.startIn?.(folder) ?? '/',
        detached: true,
        stdio: 'ignore',
        ...(options.within === undefined ? serverUser : {}),
      }).unref();
      await server.reconnect();
    },
    kill: () => end('SIGKILL'),
    async reconnect() {
      connection?.close();
      connection = undefined;
      for (;;) {
        try {
          connection ??= await connectRedis({
            name: 'test',
            url,
            ...(password === undefined ? {} : { username, password: new Secret(password) }),
          });
          if (!String(await connection.call('INFO', 'persistence')).includes('loading:1')) return;
        } catch (error) {
          if (!(error instanceof AgentError)) throw error;
          connection?.close();
          connection = undefined;
        }
        await delay(10);
      }
    },
    async restart() {
      await end('SIGTERM');
      await server.start();
    },
    configure(more) {
      directives = { ...directives, ...more };
      writeFileSync(configFile, renderDirectives(directives), { mode: 0o600 });
      giveToServer(folder);
    },
  };

  async function end(signal: NodeJS.Signals): Promise<void> {
    connection?.close();
    connection = undefined;
    // All of /proc is looked through once more, and not at each look: what they have forked may be left.
    for (let pids; (pids = serversBelow(folder)).length > 0;) {
      for (const pid of pids) process.kill(pid, signal);
      while (pids.some((pid) => workingFolder(String(pid)).startsWith(`${folder}/`))) await delay(10);
    }
  }

  onTestFinished(async () => {
    await end('SIGKILL');
    removeTempFolder(folder);
  });
  server.configure({});
  if (!down) await server.start();
  return server;
}
