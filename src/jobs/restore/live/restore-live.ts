import { gatherLive, type LiveServerFacts } from '../../../backup/restore/gather-live.ts';
import { flagOf, type Guard } from '../../../backup/restore/judge-guards.ts';
import { judgeLive, type DisklessLoad, type LiveJudgement } from '../../../backup/restore/judge-live.ts';
import { preRestore, type KeyCount, type Manifest } from '../../../domain/backup.ts';
import { AgentError } from '../../../domain/errors.ts';
import { infoInteger, infoKeyspace } from '../../../formats/info/parse-info.ts';
import { backupJob } from '../../backup/backup-job.ts';
import type { JobContext } from '../../job.ts';
import { takeOver, type TakeOver } from './take-over.ts';
import { nameDamage } from '../../prove/name-damage.ts';
import { loadedBefore } from '../../prove/loaded-before.ts';
import { describeRead, noteRead, readBefore } from '../../prove/read-before.ts';
import { proveDeeply, type DeepProof } from '../../prove/prove-deeply.ts';
import { loadFirst } from './load-first.ts';
import { recoverLive } from './recover-live.ts';

export interface LiveRestoreOptions extends Pick<TakeOver, 'stallTimeout' | 'onPhase' | 'listener'> {
  /** Back up what is there before it is replaced. */
  preBackup: boolean;
  /** Have a scratch server load it, although one has loaded these very bytes before. */
  proveAgain?: boolean;
  /** Names of guards that do not count. */
  allowed: ReadonlySet<string>;
}

export interface LiveRestoreReport {
  method: 'live';
  backup: string;
  /** What the server did with the old data meanwhile: kept it until the end, or dropped it before the load. */
  mode: DisklessLoad;
  /** How far the backup was proven before the server was sent anything. */
  proven: string;
  /** What was there before; null when nothing was, or nobody wanted it. */
  pre_backup: string | null;
  databases: Record<string, KeyCount>;
  /** Of them, keys whose time was over: the server removes them as it finds them. */
  expired: number | null;
  seconds: { verify: number; load: number; settle: number };
  notes: string[];
}

/**
 * Puts a backup into the running server, which takes it over from the agent as from a master: nothing is restarted, and
 * no file is placed. Every value is decoded before, and what is there is backed up. Holds the lock of the caller's job,
 * which must be the repository's. An AgentError `refused` names the guards that speak against it; nothing was changed
 * then. After any other failure the server is free again, or the error says how to free it.
 */
export async function runLiveRestore(
  context: JobContext,
  manifest: Manifest,
  options: LiveRestoreOptions,
): Promise<LiveRestoreReport> {
  const { clock, log, progress } = context;
  await recoverLive(context);
  progress.report({ phase: 'preflight' });
  const before = await lookLive(context);
  requireAllowed(context, judgeFor(before, manifest).guards, options.allowed);

  const start = clock.monotonic();
  const { proof, read } = await readOrKnown(context, manifest, before, options.proveAgain === true);
  const known = judgeFor(before, manifest, proof);
  requireAllowed(context, known.guards, options.allowed);
  const proven = await loadFirst(context, manifest, {
    facts: before,
    proof,
    mode: known.mode,
    before: options.proveAgain === true ? undefined : loadedBefore(context, manifest, before.server),
    insisted: options.allowed.has('unloaded'),
  });
  const verified = clock.monotonic();
  // Meanwhile much may have changed, and now it is known what is in the backup.
  const facts = await lookLive(context);
  const judgement = judgeFor(facts, manifest, proof);
  requireAllowed(context, judgement.guards, options.allowed);
  const preBackup = options.preBackup ? await backUpFirst(context, facts) : null;

  log.info({ backup: manifest.id, mode: judgement.mode, pre_backup: preBackup }, 'live restore begins');
  const begun = clock.monotonic();
  const loaded = await takeOver(context, manifest, { ...options, facts, judgement, proof, preBackup });
  const ended = clock.monotonic();
  return {
    method: 'live',
    backup: manifest.id,
    mode: judgement.mode,
    proven: `${read}, ${proven}`,
    pre_backup: preBackup,
    databases: proof.databases,
    expired: expiredBy(proof, clock.now()),
    seconds: {
      verify: seconds(start, verified),
      load: seconds(begun, loaded),
      settle: seconds(loaded, ended),
    },
    notes: judgement.notes,
  };
}

/** What is in it: as it was found before in these very bytes, or read now. `read` says which, for people. */
async function readOrKnown(
  context: JobContext,
  manifest: Manifest,
  { server }: LiveServerFacts,
  again: boolean,
): Promise<{ proof: DeepProof; read: string }> {
  const known = again ? undefined : readBefore(context, manifest, server);
  if (known !== undefined) return { proof: known.proof, read: describeRead(known.at) };
  const proof = await proveDeeply(context, manifest, server).catch((error: unknown) => {
    throw nameDamage(manifest.id, error);
  });
  noteRead(context, manifest, server, proof);
  return { proof, read: 'every value decoded' };
}

/** Null: some have since it was read, and nobody has counted how many. */
function expiredBy({ expired, nextExpiry }: DeepProof, now: number): number | null {
  return nextExpiry === null || now < nextExpiry ? expired : null;
}

/** Of two moments in milliseconds. */
function seconds(from: number, to: number): number {
  return Math.round(to - from) / 1000;
}

export async function lookLive(context: JobContext): Promise<LiveServerFacts> {
  const connection = await context.connect();
  try {
    return await gatherLive(connection, context);
  } finally {
    connection.close();
  }
}

export function judgeFor(facts: LiveServerFacts, manifest: Manifest, proof?: DeepProof): LiveJudgement {
  const { databases } = proof ?? manifest.keyspace;
  return judgeLive({
    ...facts,
    backup: {
      kind: manifest.kind,
      unread: proof === undefined ? manifest.content.unread : null,
      bytes: manifest.artefacts[0]?.plain.bytes ?? 0,
      usedMemory: manifest.server.used_memory,
      rdb: proof?.version ?? versionOf(manifest),
      highestDatabase: proof?.highestDatabase ?? Math.max(0, ...Object.keys(databases).map(Number)),
      staleStreams: proof?.stale_streams.count ?? 0,
      oddEntries: proof?.oddEntries ?? 0,
      modules: proof?.modules ?? (manifest.content.types['module'] === undefined ? [] : ['their own types']),
    },
  });
}

/** Valkey counts on from 80. */
function versionOf({ rdb_version: version }: Manifest): DeepProof['version'] {
  return { engine: version >= 80 ? 'valkey' : 'redis', version };
}

/** Throws an AgentError `refused` that names what stands against it and the flag that insists. */
export function requireAllowed(
  { instance }: Pick<JobContext, 'instance'>,
  guards: Guard[],
  allowed: ReadonlySet<string>,
): void {
  const standing = guards.filter(({ name, allowable }) => !allowable || !allowed.has(name));
  const [first] = standing;
  if (first === undefined) return;
  const insist = first.allowable ? `, or insist with ${flagOf(first.name)}` : '';
  throw new AgentError(
    'refused',
    `no live restore into instance ${instance.name}: ${standing.map(({ why }) => why).join('; ')}`,
    { reason: first.name, hint: `${first.instead}${insist}` },
  );
}

/** Nothing needs to be kept of an empty server. */
async function backUpFirst(context: JobContext, { info }: LiveServerFacts): Promise<string | null> {
  const empty = Object.keys(infoKeyspace(info)).length === 0;
  if (empty && (infoInteger(info, 'number_of_functions') ?? 0) === 0) return null;
  try {
    const { value } = await backupJob.run(context, {
      skipPreflight: false,
      takeOver: false,
      purpose: preRestore,
    });
    return value.id;
  } catch (error) {
    if (!(error instanceof AgentError) || error.code === 'interrupted') throw error;
    throw error.retold(
      `what is there now could not be backed up, and nothing was changed: ${error.message}`,
      `${error.hint === undefined ? '' : `${error.hint}; or `}go on without it: --no-pre-backup`,
    );
  }
}
