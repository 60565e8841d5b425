import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { expect } from 'vitest';
import { idsIn, spawnAgent, type AgentResult, type ConfigOptions, type TestConfig } from './cli.ts';
import { isHeld } from '../../../src/state/locks/lock.ts';
import { startServer, type TestServer } from '../servers/redis-server.ts';

/** One line of the daemon's log. */
export interface LogLine {
  level: string;
  /** ISO 8601 */
  time: string;
  msg: string;
  [field: string]: unknown;
}

export type LineMatch = Record<string, string | RegExp>;

/** `redis-agent run`, killed with the test. */
export interface Daemon {
  readonly pid: number;
  /** Whole lines so far; throws when one is not as the log has to be. */
  lines(): LogLine[];
  /** Waits until `count` lines match, and gives the last of them. Throws with the log when it ends or hangs first. */
  until(matches: LineMatch, count?: number): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
  /** Waits for its end. */
  ended(): Promise<AgentResult>;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<AgentResult>;
  /** Resident bytes. */
  rss(): number;
}

const patience = 40_000;

export function startDaemon(config: TestConfig): Daemon {
  const agent = spawnAgent(['run'], { config });
  let over = false;
  void agent.ended.finally(() => (over = true)).catch(() => {});
  const lines = (): LogLine[] => agent.stdout.split('\n').slice(0, -1).map(parseLine);
  return {
    pid: agent.pid,
    lines,
    async until(matches, count = 1) {
      for (const start = performance.now(); ; await delay(10)) {
        const ended = over;
        const found = lines().filter((line) => isLike(line, matches));
        if (found.length >= count) return found[count - 1]!;
        if (ended || performance.now() - start > patience)
          throw new Error(
            `the daemon ${ended ? 'ended' : 'hangs'} before ${inspect(matches)}: ${agent.stdout}${agent.stderr}`,
          );
      }
    },
    kill: (signal) => agent.kill(signal),
    ended: () => agent.ended,
    async stop() {
      agent.kill('SIGTERM');
      return await agent.ended;
    },
    rss: () =>
      Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${agent.pid}/status`, 'utf8'))?.[1]) * 1024,
  };
}

function parseLine(text: string): LogLine {
  const line: LogLine = JSON.parse(text);
  const known = ['debug', 'info', 'warn', 'error'].includes(line.level);
  if (!known || typeof line.msg !== 'string' || Number.isNaN(Date.parse(line.time)))
    throw new Error(`this is no line of the log: ${text}`);
  return line;
}

/** A field is the same, or a text that the expression finds. */
function isLike(line: LogLine, matches: LineMatch): boolean {
  return Object.entries(matches).every(([field, wanted]) => {
    const value = line[field];
    return wanted instanceof RegExp ? typeof value === 'string' && wanted.test(value) : value === wanted;
  });
}

/** Cron for every second. */
export const often = '* * * * * *';

/** Cron for a moment that is half a day away, whenever the test runs. */
export function faraway(): string {
  return `0 ${(new Date().getUTCHours() + 12) % 24} * * *`;
}

/** The line that a backup ends with. */
export const taken: LineMatch = { job: 'backup', msg: /^backup 2/ };

export interface Plan {
  schedule: string;
  /** Load each backup into a scratch server; it takes time that most tests need not spend. */
  prove?: boolean;
  retention?: Record<string, number>;
  snapshotTimeout?: string;
}

/** Options for a daemon: no jitter, UTC. */
export function planned(server: TestServer, plan: Plan, more: ConfigOptions = {}): ConfigOptions {
  const { schedule, prove = false, retention, snapshotTimeout = '1h' } = plan;
  const backup = {
    schedule,
    jitter: '0s',
    snapshot_timeout: snapshotTimeout,
    ...(retention && { retention }),
  };
  return { server, ...more, settings: { backup, verify: { after_backup: prove }, timezone: 'UTC' } };
}

/** As a server should be: with a limit of memory, so that the watch has nothing to say. */
export const sound = { maxmemory: '500mb' };

export async function serverWithKey(): Promise<TestServer> {
  const server = await startServer({ config: sound });
  await server.call('SET', 'key', 'value');
  return server;
}

/** Its saves take at least a second and a half. */
export async function slowServer(): Promise<TestServer> {
  const server = await startServer({ config: { ...sound, 'rdb-key-save-delay': '10000' } });
  await server.call('DEBUG', 'POPULATE', 150);
  return server;
}

export async function untilSaving(server: TestServer): Promise<void> {
  await expect
    .poll(async () => String(await server.call('INFO', 'persistence')), { interval: 10 })
    .toContain('rdb_bgsave_in_progress:1');
}

/** A backup has said its last line and may still have its lock; a prune behind it is waited for by whoever comes. */
export async function untilFree({ state }: TestConfig): Promise<void> {
  const lock = { instance: 'main', kind: 'repository' };
  await expect.poll(() => isHeld(state, lock), { interval: 10 }).toBe(false);
}

/** Backups that were not started by their schedule. */
export function caughtUp(daemon: Daemon): number {
  const early = ({ msg, schedule }: LogLine): boolean =>
    schedule === 'main: backup' && /^(catching up|first run)/.test(msg);
  return daemon.lines().filter(early).length;
}

/** Every backup has its manifest, nothing else is in the repository, and no scratch server is left. */
export function expectClean(config: TestConfig, instance = 'main'): void {
  for (const id of idsIn(config, instance)) {
    const names = readdirSync(join(config.repository, instance, id));
    const odd = names.filter(
      (name) =>
        !/^((dump\.rdb(\.zst)?|config\.json)(\.age)?|(manifest|keys|(verify|drill)-.*)\.json)$/.test(name),
    );
    expect({ id, odd, complete: names.includes('manifest.json') }).toEqual({ id, odd: [], complete: true });
  }
  const scratch = join(config.state, 'scratch');
  expect(existsSync(scratch) ? readdirSync(scratch) : []).toEqual([]);
}
