import { join } from 'node:path';
import type { DataFolder } from '../../../backup/restore/folder/data-folder.ts';
import { AgentError, hasReason, messageOf, type Reason } from '../../../domain/errors.ts';
import { infoInteger, type Info } from '../../../formats/info/parse-info.ts';
import { printable } from '../../../lib/text/printable.ts';
import { findProcess } from '../../../redis/process/data-process.ts';
import { readInfo } from '../../../redis/server.ts';
import type { ServiceControl } from '../../../redis/service/service.ts';
import type { JobContext } from '../../job.ts';
import { firstPause, nextPause } from './pause.ts';

/** Milliseconds. A last save of a large data set takes its time; a server that is loading shows itself sooner. */
const longestStop = 30 * 60_000;
const longestSilence = 15_000;
/** A start fails, too, where something else has just started the server: that one shows itself by then. */
const secondLook = 500;

/**
 * Once something was touched, an interruption no longer stops a restore half way: it goes on to its end, which is near, and
 * a second or third one cuts it.
 */
export const onward = new AbortController().signal;

/** Asks a server that nobody manages to end; one that does not let us is told by the signal that means the same. */
export async function endServer(context: JobContext, dir: string): Promise<void> {
  try {
    const connection = await context.connect(onward);
    try {
      await connection.call('SHUTDOWN', 'NOSAVE');
    } finally {
      connection.close();
    }
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'redis') throw error;
    if (error.reason === 'closed' || error.reason === 'refused') return;
    context.log.info({ cause: error.message }, 'the server takes no SHUTDOWN: sending SIGTERM');
    await context.host.end(dir, 'SIGTERM');
  }
}

/** The processes that work in its data directory, by number. */
export async function serverProcesses({ host }: JobContext, dir: string): Promise<Set<number>> {
  return new Set(await host.processesIn(dir));
}

/**
 * Processes of the server: those that work in its data directory, and of `known` those that have not ended yet. One that
 * ends gives up the folder that it works in before its port.
 */
async function remaining(
  { host }: JobContext,
  dir: string,
  known: ReadonlySet<number>,
): Promise<Set<number>> {
  const working = await host.processesIn(dir);
  const ending = await Promise.all(
    [...known].map(async (pid) => ((await findProcess(pid)) === undefined ? [] : [pid])),
  );
  return new Set([...working, ...ending.flat()]);
}

/**
 * Waits until no process of the server works in its data directory any more. `stopped` are those that were told to end:
 * another one is somebody else's doing, and would be waited for in vain.
 */
export async function untilGone(
  context: JobContext,
  dir: string,
  stopped: ReadonlySet<number>,
): Promise<void> {
  const { clock, progress } = context;
  const start = clock.monotonic();
  for (let pause = firstPause; ; pause = nextPause(pause, clock.monotonic() - start)) {
    const running = await remaining(context, dir, stopped);
    const [one] = running;
    if (one === undefined) return;
    for (const pid of running) if (!stopped.has(pid)) throw cameBack(pid);
    progress.report({ phase: 'stopping' });
    if (clock.monotonic() - start > longestStop)
      throw new AgentError(
        'failed',
        `process ${one} still works in ${dir} after ${longestStop / 60_000} minutes`,
        {
          reason: 'stop',
          hint: 'end it, and see to it that nothing starts it again; then run the same command again',
        },
      );
    await clock.sleep(pause);
  }
}

/** Throws when something has started the server again behind our back. */
export async function requireGone({ host }: JobContext, dir: string): Promise<void> {
  const [one] = await host.processesIn(dir);
  if (one !== undefined) throw cameBack(one);
}

/**
 * Ends servers that something has started while files were being moved. By SIGKILL: they hold nothing that anybody was told
 * of, and the last save that SIGTERM brings would replace what was just placed.
 */
export async function endStrays(context: JobContext, dir: string): Promise<void> {
  const { host, log } = context;
  const there = await host.processesIn(dir);
  if (there.length === 0) return;
  const strays = new Set(
    await host.end(dir, 'SIGKILL').catch(() => {
      throw cameBack(there[0] ?? 0);
    }),
  );
  for (const pid of strays)
    log.warn({ pid }, 'something has started the server while its files were moved: ending it');
  const areThere = async (): Promise<boolean> =>
    [...(await remaining(context, dir, strays))].some((pid) => strays.has(pid));
  while (strays.size > 0 && (await areThere())) await context.clock.sleep(firstPause);
}

function cameBack(pid: number): AgentError {
  return new AgentError(
    'failed',
    `something has started the server again (process ${pid}) while it was to be down`,
    {
      reason: 'came-back',
      hint: 'a supervisor keeps it up: set service: of this instance to what really stops it, then run the same command again',
    },
  );
}

/** Why a server does not serve, and its own last words. */
export class NotServing extends Error {
  readonly lines: string[];

  constructor(problem: string, lines: string[]) {
    super(problem);
    this.lines = lines;
  }
}

/** What a server answers to whom it does not let in, for as long as it runs. */
const shutOut: readonly Reason[] = [
  'wrongpass',
  'noauth',
  'noperm',
  'denied',
  'unknown-command',
  'tls',
  'not-redis',
];

/** It serves, and is not stopped for that: what it holds only cannot be seen. */
function requireLetIn(error: unknown): void {
  if (!(error instanceof AgentError) || !hasReason(error, ...shutOut)) return;
  throw error.retold(
    `the server was started, and does not let the agent in: ${error.message}`,
    'its data is in place: give it the agent’s user again (one that is not in redis.conf or the aclfile is gone with a restart), then run the same command again, which compares the keys and ends this',
  );
}

/**
 * Waits until the started server has loaded everything. Rejects with NotServing when it does not come up, with an
 * AgentError `redis` when it does not let the agent in.
 */
export async function untilServing(
  context: JobContext,
  dir: string,
  service: ServiceControl,
  log: ServerLog,
): Promise<Info> {
  const { clock, progress, host } = context;
  const start = clock.monotonic();
  let seen = start;
  let last = 'it does not answer';
  let broken: number | undefined;
  for (let pause = firstPause; ; pause = nextPause(pause, clock.monotonic() - start)) {
    const info = await askInfo(context).catch((error: unknown) => {
      requireLetIn(error);
      last = messageOf(error);
      return undefined;
    });
    const running = (await host.processesIn(dir)).length > 0;
    if (info?.get('loading') === '0') return info;
    if (info !== undefined || running) seen = clock.monotonic();
    const failure = await service.failure();
    if (failure === undefined || info !== undefined || running) broken = undefined;
    else broken ??= clock.monotonic();
    if (broken !== undefined && clock.monotonic() - broken >= secondLook)
      throw new NotServing(failure ?? last, await log.lines(service));
    if (clock.monotonic() - seen > longestSilence) throw new NotServing(last, await log.lines(service));
    const total = info && infoInteger(info, 'loading_total_bytes');
    const done = info && infoInteger(info, 'loading_loaded_bytes');
    progress.report({
      phase: 'loading',
      ...(total && done ? { done: Math.min(1, done / total), total: 1 } : {}),
    });
    await clock.sleep(pause);
  }
}

/** What the server says of itself; rejects when it does not answer. */
export async function askInfo(context: JobContext): Promise<Info> {
  const connection = await context.connect(onward);
  try {
    return await readInfo(connection);
  } finally {
    connection.close();
  }
}

/** The server's log from a moment on. */
export interface ServerLog {
  lines(service: ServiceControl): Promise<string[]>;
}

const keptLines = 15;

/** From here on: its own file where it has one (`logfile`, relative ones count from `dir`), else what its manager has. */
export async function followLog(folder: DataFolder, logfile: string | null): Promise<ServerLog> {
  const path = logfile === null ? undefined : join(logfile.startsWith('/') ? '/' : folder.dir, logfile);
  const size = async (): Promise<number> =>
    path === undefined ? 0 : await folder.logSize(path).catch(() => 0);
  const from = await size();
  return {
    async lines(service) {
      const start = (await size()) < from ? 0 : from;
      const written = path === undefined ? '' : await folder.tailOf(path, start).catch(() => '');
      const lines = written.split('\n').filter((line) => line.trim() !== '');
      const all = lines.length > 0 ? lines : await service.output();
      return all.slice(-keptLines).map((line) => printable(line.trim()));
    },
  };
}
