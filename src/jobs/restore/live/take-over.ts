import type { Server } from 'node:net';
import type { LiveServerFacts } from '../../../backup/restore/gather-live.ts';
import type { DisklessLoad, LiveJudgement } from '../../../backup/restore/judge-live.ts';
import { LiveJournal, type LivePhase, type LiveRecord } from '../../../backup/restore/live-journal.ts';
import { LiveServer } from '../../../backup/restore/live-server.ts';
import { isOurReplica, finishLive, type LiveOutcome } from '../../../backup/restore/finish-live.ts';
import { compareCounts } from '../../../backup/verify/compare-counts.ts';
import type { Manifest } from '../../../domain/backup.ts';
import { AgentError, hasReason, messageOf } from '../../../domain/errors.ts';
import { infoInteger, infoKeyspace, type Info } from '../../../formats/info/parse-info.ts';
import { awaitLater } from '../../../lib/time/await-later.ts';
import type { Feed } from '../../../redis/replication/replica-link.ts';
import type { RedisTarget } from '../../../redis/connection/connect.ts';
import { startGuard, type LinkGuard } from '../../../redis/replication/link-guard.ts';
import { listenAsMaster, type ReplicationMaster } from '../../../redis/replication/replication-master.ts';
import type { JobContext } from '../../job.ts';
import { readExpanded, readProven, type DeepProof } from '../../prove/prove-deeply.ts';

const stallTimeout = 120_000;
/** How long a failed restore waits for the server to be as it was. What it did not wait for the journal keeps. */
const clearTimeout = 60_000;
const watchEvery = 250;

/** What was decided before anything is touched. */
export interface TakeOver {
  /** Longest time in which nothing moves while the server loads, milliseconds. Two minutes when left out. */
  stallTimeout?: number;
  /** Where the server is to find its master; on any free port of this host when left out. */
  listener?: Server | undefined;
  /** Called when the journal says so. */
  onPhase?: (phase: LivePhase) => void;
  facts: LiveServerFacts;
  judgement: LiveJudgement;
  proof: DeepProof;
  preBackup: string | null;
}

/**
 * Has the server load the backup as a replica of the agent, and sets it free. Resolves with the moment (monotonic) at
 * which everything was loaded. When it rejects, the server is free too, or the error and the journal say that it is not.
 */
export async function takeOver(context: JobContext, manifest: Manifest, options: TakeOver): Promise<number> {
  const { clock, signal, settings, instance, progress } = context;
  const watch = new AbortController();
  const stop = AbortSignal.any([signal, watch.signal]);
  const { proof, facts } = options;
  const feed = feedOf(context, manifest, { proof, mode: options.judgement.mode });
  await using master = await listenAsMaster({
    feed,
    replicaUser: facts.user,
    stallTimeout: options.stallTimeout ?? stallTimeout,
    listener: options.listener,
    clock,
    signal: stop,
    onProgress: (done) => progress.report({ phase: 'sending', done, total: feed.bytes, unit: 'bytes' }),
  });
  const guard = await startGuard({ target: await targetOf(context), ...master });
  const journal = new LiveJournal(settings.state.path, instance.name);
  const record = recordOf(context, manifest, options, master);
  const enter = (phase: LivePhase): void => {
    journal.write({ ...record, phase });
    options.onPhase?.(phase);
  };
  const server = new LiveServer(() => context.connect(), {
    clock,
    signal: stop,
    patience: options.stallTimeout,
  });
  const finish = (to: LiveServer, until: AbortSignal): Promise<LiveOutcome> => {
    return finishLive(record, { server: to, journal, clock, signal: until, onPhase: options.onPhase });
  };
  try {
    enter('settings');
    await server.call('CONFIG', 'SET', 'repl-diskless-load', options.judgement.mode);
    await server.call('CONFIG', 'SET', 'replica-read-only', 'yes');
    // It would ask for a certificate that the agent does not have; between two processes of one host there is nothing to hide.
    if (facts.settings['tls-replication'] === 'yes')
      await server.call('CONFIG', 'SET', 'tls-replication', 'no');
    enter('follow');
    await follow(server, master, { context, record, watch });
    const problem = compareCounts(
      { databases: proof.databases, exact: true },
      infoKeyspace(await server.info()),
    );
    if (problem !== undefined)
      throw new AgentError('failed', `the server has loaded the backup, but ${problem}`);
    const loaded = clock.monotonic();
    progress.report({ phase: 'making it last' });
    const outcome = await finish(server, stop);
    if (outcome !== 'backup') throw new AgentError('failed', outcomes[outcome], { reason: 'foreign' });
    return loaded;
  } catch (error) {
    throw await clearUp(context, { ...options, guard }, error, finish);
  } finally {
    server.close();
    watch.abort();
    await guard.release();
  }
}

/** Where the server is, with the password that the guard needs. */
async function targetOf(context: JobContext): Promise<RedisTarget> {
  const connection = await context.connect();
  connection.close();
  return connection.target;
}

/**
 * What the server is sent. One that loads from the connection gets its strings expanded: it is the slower side, and has that
 * much less to do. One that writes a file first would have to write more, and is short of memory.
 */
export function feedOf(
  context: JobContext,
  manifest: Manifest,
  { proof, mode }: { proof: DeepProof; mode: DisklessLoad },
): Feed {
  const { bytes } = manifest.artefacts[0]?.plain ?? { bytes: 0 };
  const expanded = mode === 'swapdb' && proof.growth > 0;
  const read = expanded ? readExpanded : readProven;
  return {
    bytes: expanded ? bytes + proof.growth : bytes,
    open: (ended) => read(context, manifest, proof, ended),
  };
}

function recordOf(
  { instance, clock }: JobContext,
  manifest: Manifest,
  { facts, preBackup }: TakeOver,
  { host, port, replicationId }: ReplicationMaster,
): LiveRecord {
  return {
    schema: 1,
    instance: instance.name,
    backup: manifest.id,
    started_at: new Date(clock.now()).toISOString(),
    phase: 'settings',
    run_id: facts.info.get('run_id') ?? '',
    host,
    port,
    replication_id: replicationId,
    settings: facts.settings,
    pre_backup: preBackup,
  };
}

interface Watch {
  context: JobContext;
  record: LiveRecord;
  /** Ends the link when the server is not ours any more. */
  watch: AbortController;
}

/** Makes the server a replica of the agent, and waits until it has loaded everything. */
async function follow(server: LiveServer, master: ReplicationMaster, options: Watch): Promise<void> {
  const { context, watch } = options;
  const served = awaitLater(master.serve());
  await server.call('REPLICAOF', master.host, master.port);
  const done = new AbortController();
  const watching = watchServer(server, options, AbortSignal.any([done.signal, context.signal])).catch(
    (error: unknown) => {
      if (!done.signal.aborted) watch.abort(error);
    },
  );
  try {
    await served;
  } catch (error) {
    // Nor is its answer waited for any longer.
    server.close();
    throw error;
  } finally {
    done.abort();
    await watching;
  }
}

/** Says how far it is, and throws when somebody else has taken the server. Silence is the link's to judge. */
async function watchServer(
  server: LiveServer,
  { context, record }: Watch,
  signal: AbortSignal,
): Promise<void> {
  const { clock, progress } = context;
  for (;;) {
    await clock.sleep(watchEvery, signal);
    const info = await server.info().catch(() => undefined);
    if (info === undefined) continue;
    if (!isOurReplica(info, record) || info.get('run_id') !== record.run_id) throw taken(info);
    const [done, total] = [
      infoInteger(info, 'loading_loaded_bytes'),
      infoInteger(info, 'loading_total_bytes'),
    ];
    if (info.get('loading') === '1' && done !== undefined && total !== undefined && total > 0)
      progress.report({ phase: 'loading', done: Math.min(1, done / total), total: 1 });
  }
}

function taken(info: Info): AgentError {
  const now =
    info.get('role') === 'slave'
      ? `a replica of ${info.get('master_host')}:${info.get('master_port')}`
      : 'a master again, or was restarted';
  return new AgentError('failed', `somebody else has made the server ${now} during the restore`, {
    reason: 'foreign',
    hint: 'find out who: a Sentinel, an operator, another redis-agent?',
  });
}

const outcomes: Record<LiveOutcome, string> = {
  backup: 'the server has the backup’s data',
  before: 'the server has its data as before, and takes writes again',
  restarted: 'the server was restarted meanwhile, and has what its own files had',
  followed: 'the server follows somebody else now, and was left alone',
};

/** After a failure: sets the server free, and says in the error what it has now. */
async function clearUp(
  context: JobContext,
  { preBackup, facts, stallTimeout: patience, guard }: TakeOver & { guard: LinkGuard },
  error: unknown,
  finish: (server: LiveServer, signal: AbortSignal) => Promise<LiveOutcome>,
): Promise<unknown> {
  const { clock, log, signal } = context;
  const until = AbortSignal.timeout(clearTimeout);
  const server = new LiveServer(() => context.connect(until), { clock, signal: until, patience });
  let down = false;
  const state = await finish(server, until).then(
    (outcome) => outcomes[outcome],
    (cause: unknown) => {
      down = hasReason(cause, 'refused');
      if (down) return 'the server has ended';
      guard.leave();
      const why = until.aborted ? `not within ${clearTimeout / 1000} s` : messageOf(cause);
      return `the server could not be set right (${why}): the next redis-agent restore begins with that`;
    },
  );
  server.close();
  log.warn({ cause: messageOf(error), state }, 'live restore failed');
  if (signal.aborted || !(error instanceof AgentError)) return error;
  const kept = preBackup === null ? '' : `what was there before is backup ${preBackup}`;
  const again = down ? startAgain(facts.service, preBackup) : undefined;
  const hint = [error.hint, kept, again].filter(Boolean).join('; ');
  return error.retold(`${error.message}; ${state}`, hint === '' ? undefined : hint);
}

/** Of a server that has ended. What it starts with is what it had saved itself; else there is the backup. */
function startAgain(service: string | undefined, preBackup: string | null): string {
  const how = service === undefined ? '' : ` (${service})`;
  const otherwise =
    preBackup === null ? '' : `, and if it does not come up: redis-agent restore ${preBackup} --method files`;
  return `start it again${how}: it loads what it had saved${otherwise}`;
}
