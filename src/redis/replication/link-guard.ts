import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { endpoint, type RedisTarget } from '../connection/connect.ts';
import { guardProgram, type GuardTask, type GuardTimes } from './guard-program.ts';
import { readTlsFiles, type TlsFiles } from '../connection/tls-files.ts';

/**
 * A process that outlives this one. It holds the port on which a server finds its master in this process, so that nobody
 * else can take it, and when this process ends without a word, it has the server follow nobody.
 */
export interface LinkGuard {
  readonly pid: number;
  /** The server is free: nothing is left to guard. */
  release(): Promise<void>;
  /** It is not, and we have given up: the guard goes on by itself, for ten minutes at most. */
  leave(): void;
}

export interface GuardOptions {
  /** The server that is guarded. */
  target: RedisTarget;
  /** Where it finds its master, and our listening socket there. */
  host: string;
  port: number;
  descriptor: number | undefined;
}

const times: GuardTimes = { every: 50, answer: 5000, atMost: 600_000 };
const startTimeout = 30_000;

/** Resolves when it is on guard. Rejects with an AgentError `failed`. */
export async function startGuard({ target, host, port, descriptor }: GuardOptions): Promise<LinkGuard> {
  const { host: at = '', port: number = 6379, path } = endpoint(target);
  const task: GuardTask = {
    place: path === undefined ? { host: at, port: number } : { path },
    tls: target.url.startsWith('rediss:') ? encoded(readTlsFiles(target)) : null,
    auth:
      target.password === undefined
        ? []
        : [...(target.username === undefined ? [] : [target.username]), target.password.reveal()],
    host,
    port,
  };
  const program = `(${String(guardProgram)})(${JSON.stringify(times)})`;
  // A session of its own: what ends us by a signal to the group or the terminal does not end it.
  const child = spawn(process.execPath, ['--input-type=commonjs', '-e', program], {
    argv0: 'redis-agent-guard',
    cwd: '/',
    detached: true,
    env: {},
    stdio: ['pipe', 'pipe', 'ignore', descriptor ?? 'ignore'],
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('it has no pipes');
  stdin.on('error', () => {});
  stdin.write(`${JSON.stringify(task)}\n`);
  const ended = once(child, 'exit').catch(() => undefined);
  const signal = AbortSignal.timeout(startTimeout);
  const ready = await Promise.race([
    once(stdout, 'data', { signal }).then(
      () => 'ready',
      (error: unknown) => messageOf(error),
    ),
    once(child, 'error').then(([error]) => messageOf(error)),
    ended.then(() => 'it has ended'),
  ]);
  if (ready !== 'ready' || child.pid === undefined) {
    child.kill('SIGKILL');
    throw new AgentError('failed', `the guard of a live restore cannot be started: ${ready}`, {
      reason: 'guard',
      hint: 'nothing was touched; is there memory for another process?',
    });
  }
  stdout.destroy();
  child.unref();
  unref(stdin);
  let left = false;
  const leave = (): void => {
    left = true;
    stdin.end();
    unref(stdin);
  };
  return {
    pid: child.pid,
    leave,
    async release() {
      if (left) return;
      child.ref();
      stdin.end('done\n');
      await ended;
    },
  };
}

/** It is a socket, which keeps a process. */
function unref(stream: object): void {
  if ('unref' in stream && typeof stream.unref === 'function') stream.unref();
}

function encoded({ ca, cert, key, servername }: TlsFiles): GuardTask['tls'] {
  return {
    ...(ca === undefined ? {} : { ca: ca.toString('base64') }),
    ...(cert === undefined ? {} : { cert: cert.toString('base64') }),
    ...(key === undefined ? {} : { key: key.toString('base64') }),
    ...(servername === undefined ? {} : { servername }),
  };
}
