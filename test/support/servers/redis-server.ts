import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AgentError } from '../../../src/domain/errors.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { connectRedis, type RedisConnection, type Reply } from '../../../src/redis/connection/connect.ts';
import { shareCertificates, type Certificates } from './certificates.ts';
import { freePort } from './free-port.ts';
import { hasEnded, outputOf, spawnOwned } from './owned-process.ts';
import { defaultBuild, type ServerBuild } from './server-builds.ts';
import { defaultDirectives, renderDirectives, tlsDirectives, type Directives } from './server-config.ts';
import { giveToServer, serverUser } from './server-user.ts';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';

export { defaultBuild, edgeBuilds, findBuild, serverBuilds, type ServerBuild } from './server-builds.ts';

export interface ServerOptions {
  build?: ServerBuild;
  /** Directives as in redis.conf, on top of the defaults below; an array repeats the directive. */
  config?: Directives;
  /** Listens on a TLS port too (client certificates are accepted, not asked for). */
  tls?: boolean;
  /** As whom `connection` connects; `requirepass` of `config` is used without being told. */
  auth?: { username?: string; password: string };
  /** `listening` returns while a dump is still being loaded. */
  until?: 'loaded' | 'listening';
  /** As root where we are root, for what only that can arrange; else as an ordinary user. */
  asRoot?: boolean;
}

/** A private server on loopback. All its files are in `dir`, which `stop` removes. */
export interface TestServer extends AsyncDisposable {
  readonly build: ServerBuild;
  readonly port: number;
  /** redis://127.0.0.1:port */
  readonly url: string;
  readonly socket: string;
  /** unix:///… */
  readonly socketUrl: string;
  /** Only with `tls: true`. */
  readonly tls: (Certificates & { port: number; url: string }) | undefined;
  readonly dir: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly dumpPath: string;
  /** Changes with `restart`. */
  readonly pid: number;
  /** Changes with `restart`. */
  readonly connection: RedisConnection;
  call(command: string, ...args: (string | number)[]): Promise<Reply>;
  /** Sends a signal; waits for the end of the process if the signal ends it (KILL, TERM, INT). */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends the process by SIGTERM if it runs, and starts it again with the same files and port. */
  restart(): Promise<void>;
  /** Kills the server and its fork child, and removes `dir`. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts a server that dies with this process whatever happens. Within a test it is stopped when that test ends;
 * elsewhere (beforeAll, a script) call `stop` or use `await using`.
 */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  for (let attempt = 1; ; attempt++) {
    const server = await prepare(options);
    try {
      await server.launch();
      await stopWithTest(server);
      return server;
    } catch (error) {
      await server.stop();
      // Another process can take the port between our look and the server's bind.
      if (attempt === 5 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

async function stopWithTest(server: TestServer): Promise<void> {
  if (process.env['VITEST'] === undefined) return;
  const { onTestFinished } = await import('vitest');
  try {
    onTestFinished(() => server.stop());
  } catch {
    // Not within a test: the caller stops it, and global-setup.ts fails the run if not.
  }
}

async function prepare(options: ServerOptions): Promise<PrivateServer> {
  const dir = makeTempFolder();
  const port = await freePort();
  const tls = options.tls === true ? { ...shareCertificates(dir), port: await freePort() } : undefined;
  const build = options.build ?? defaultBuild();
  const directives = { ...defaultDirectives(build, dir, port), ...tlsDirectives(tls), ...options.config };
  writeFileSync(join(dir, 'redis.conf'), renderDirectives(directives), { mode: 0o600 });
  return new PrivateServer(build, dir, port, tls, options);
}

class PrivateServer implements TestServer {
  readonly build: ServerBuild;
  readonly port: number;
  readonly url: string;
  readonly socket: string;
  readonly socketUrl: string;
  readonly tls: TestServer['tls'];
  readonly dir: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly dumpPath: string;
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;
  #connection: RedisConnection | undefined;

  constructor(
    build: ServerBuild,
    dir: string,
    port: number,
    tls: (Certificates & { port: number }) | undefined,
    options: ServerOptions,
  ) {
    this.build = build;
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.socket = join(dir, 'redis.sock');
    this.socketUrl = `unix://${this.socket}`;
    this.tls = tls && { ...tls, url: `rediss://127.0.0.1:${tls.port}` };
    this.dir = dir;
    this.configFile = join(dir, 'redis.conf');
    this.logFile = join(dir, 'redis.log');
    this.dumpPath = join(dir, String(options.config?.['dbfilename'] ?? 'dump.rdb'));
    this.#options = options;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the server is not running');
    return pid;
  }

  get connection(): RedisConnection {
    if (this.#connection === undefined) throw new Error('the server is not running');
    return this.#connection;
  }

  async call(command: string, ...args: (string | number)[]): Promise<Reply> {
    return await this.connection.call(command, ...args);
  }

  async launch(): Promise<void> {
    for (const folder of new Set([this.dir, this.#options.config?.['dir'] ?? this.dir].flat()))
      if (this.#options.asRoot !== true) giveToServer(folder);
    const child = spawnOwned(
      this.build.server,
      [this.configFile],
      this.dir,
      this.#options.asRoot === true ? undefined : serverUser,
    );
    const output = outputOf(child);
    this.#child = child;
    while (!(await this.#answers())) {
      if (hasEnded(child)) throw new Error(`${this.build.name} did not start: ${output()}${this.#log()}`);
      await delay(5);
    }
  }

  async #answers(): Promise<boolean> {
    try {
      this.#connection ??= await this.#connect();
      await this.#connection.call('PING');
      return true;
    } catch (error) {
      const reason = error instanceof AgentError ? error.reason : undefined;
      if (reason === 'loading') return this.#options.until === 'listening';
      if (reason === 'refused' || reason === 'closed') {
        this.#connection = undefined;
        return false;
      }
      if (this.#connection === undefined) throw error;
      // Anything else is an answer: no permission for PING, a lost master.
      return true;
    }
  }

  async #connect(): Promise<RedisConnection> {
    const { auth, config } = this.#options;
    const password = auth?.password ?? config?.['requirepass'];
    return await connectRedis({
      name: `test-${this.port}`,
      url: this.url,
      username: auth?.username,
      ...(password === undefined ? {} : { password: new Secret(String(password)) }),
    });
  }

  #log(): string {
    try {
      return readFileSync(this.logFile, 'utf8');
    } catch {
      return '';
    }
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#signal(this.pid, signal, ['SIGKILL', 'SIGTERM', 'SIGINT'].includes(signal));
  }

  async #signal(target: number, signal: NodeJS.Signals, ends: boolean): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    const running = !hasEnded(child);
    const exited = running && ends ? once(child, 'exit') : undefined;
    if (running) process.kill(target, signal);
    await exited;
    if (!ends) return;
    this.#connection?.close();
    this.#connection = undefined;
    this.#child = undefined;
  }

  async restart(): Promise<void> {
    if (this.#child !== undefined) await this.kill('SIGTERM');
    await this.launch();
  }

  async stop(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid !== undefined) await this.#signal(-pid, 'SIGKILL', true);
    removeTempFolder(this.dir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
