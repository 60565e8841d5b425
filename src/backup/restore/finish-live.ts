import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import { infoInteger, type Info } from '../../formats/info/parse-info.ts';
import type { LiveJournal, LivePhase, LiveRecord } from './live-journal.ts';
import type { LiveServer } from './live-server.ts';

/**
 * Which data a server has after a live restore: the backup's, what it had before, or, when it was restarted meanwhile,
 * what its own files had. `followed`: somebody else has made it a replica, and there it was left alone.
 */
export type LiveOutcome = 'backup' | 'before' | 'restarted' | 'followed';

export interface FinishOptions {
  server: LiveServer;
  journal: LiveJournal;
  clock: Clock;
  signal: AbortSignal;
  onPhase?: ((phase: LivePhase) => void) | undefined;
}

/** Milliseconds in which a save that fails may still come right by itself. */
const patience = 60_000;

/**
 * Ends a live restore however far it is: right after a load, after a failure, and after the agent was killed. The server
 * is set free if it is still the agent's replica, gets its settings back, and keeps what it has over a restart. Then the journal goes; when this rejects, the journal stays, and it can be called again.
 */
export async function finishLive(record: LiveRecord, options: FinishOptions): Promise<LiveOutcome> {
  const { server, journal } = options;
  const enter = (phase: LivePhase): void => {
    journal.write({ ...record, phase });
    options.onPhase?.(phase);
  };
  let info = await server.until((now) => now.get('loading') !== '1');
  const restarted = info.get('run_id') !== record.run_id;
  if (isOurReplica(info, record)) {
    enter('free');
    await server.insist('REPLICAOF', 'NO', 'ONE');
    info = await server.info();
  }
  const outcome = outcomeOf(info, record, restarted);
  if (!restarted) {
    enter('put-back');
    for (const [name, value] of Object.entries(record.settings))
      await server.insist('CONFIG', 'SET', name, value);
  }
  if (outcome === 'backup' || outcome === 'before') {
    enter('persist');
    await persist(outcome, options);
  }
  if (outcome === 'backup') journal.keep();
  else journal.clear();
  return outcome;
}

/** Is it a replica of the agent's address, that is of nobody else? */
export function isOurReplica(info: Info, { host, port }: Pick<LiveRecord, 'host' | 'port'>): boolean {
  return (
    info.get('role') === 'slave' &&
    info.get('master_host') === host &&
    info.get('master_port') === String(port)
  );
}

function outcomeOf(info: Info, record: LiveRecord, restarted: boolean): LiveOutcome {
  if (info.get('role') === 'slave') return 'followed';
  if (restarted) return 'restarted';
  // A server takes its master's id over when it has loaded all that it was sent, and remembers it when it is set free.
  const history = [info.get('master_replid'), info.get('master_replid2')];
  return history.includes(record.replication_id) ? 'backup' : 'before';
}

/**
 * Sees to it that the next start loads what is in memory now. A server ends its AOF when it begins to load, and writes
 * it anew when it is set free, also when it has loaded nothing.
 */
async function persist(outcome: LiveOutcome, options: FinishOptions): Promise<void> {
  const reply = await options.server.call('CONFIG', 'GET', 'appendonly');
  if (Array.isArray(reply) && reply[1] === 'yes') await untilRewritten(options);
  else if (outcome === 'backup') await saveDump(options);
}

/** A server rewrites its AOF by itself when it has loaded a master's data, and again when that failed. */
async function untilRewritten({ server, clock }: FinishOptions): Promise<void> {
  let failing: number | undefined;
  await server.until((info) => {
    const idle = info.get('aof_rewrite_in_progress') === '0' && info.get('aof_rewrite_scheduled') === '0';
    const failed = info.get('aof_last_bgrewrite_status') === 'err';
    if (failed) failing ??= clock.monotonic();
    else failing = undefined;
    if (failing !== undefined && clock.monotonic() - failing > patience)
      throw notKept('it cannot rewrite its AOF', 'BGREWRITEAOF');
    return idle && !failed && info.get('aof_enabled') === '1';
  });
}

/**
 * Saves dump.rdb. Its time of the last save moves only when a save has succeeded, but in whole seconds: so the save is
 * asked for only in another second than that. Later it need not be: clocks are put back.
 */
async function saveDump({ server, clock, signal }: FinishOptions): Promise<void> {
  const before = await lastSave(server);
  while ((await serverSeconds(server)) === before) await clock.sleep(50, signal);
  const start = clock.monotonic();
  for (;;) {
    const info = await server.until((now) => now.get('rdb_bgsave_in_progress') === '0');
    if ((infoInteger(info, 'rdb_last_save_time') ?? 0) !== before) return;
    if (clock.monotonic() - start > patience && info.get('rdb_last_bgsave_status') === 'err')
      throw notKept('it cannot save dump.rdb', 'BGSAVE');
    await server.insist('BGSAVE', 'SCHEDULE').catch((error: unknown) => {
      if (!(error instanceof AgentError) || !/in progress/i.test(error.message)) throw error;
    });
    await clock.sleep(100, signal);
  }
}

async function lastSave(server: LiveServer): Promise<number> {
  return infoInteger(await server.info(), 'rdb_last_save_time') ?? 0;
}

async function serverSeconds(server: LiveServer): Promise<number> {
  const reply = await server.call('TIME');
  return Array.isArray(reply) ? Number(reply[0]) : 0;
}

function notKept(why: string, command: string): AgentError {
  return new AgentError(
    'failed',
    `the server is free, but ${why}: a restart would lose what it has in memory`,
    {
      reason: 'persist',
      hint: `see the server’s log (a full disk?), then send it ${command}`,
    },
  );
}
