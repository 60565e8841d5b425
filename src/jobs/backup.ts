import { randomInt } from 'node:crypto';
import { encodeRdb, type EncodedRdb } from '../backup/artefact/encode.ts';
import { makeBackupId } from '../backup/id.ts';
import { judgeWriter } from '../backup/judge-writer.ts';
import type { BackupEntry, Listing } from '../backup/repository.ts';
import { preflight } from '../backup/snapshot/preflight.ts';
import type { Snapshot } from '../backup/snapshot/snapshot.ts';
import { takeSnapshot } from '../backup/snapshot/take-snapshot.ts';
import { manifestSchema, type Artefact, type Manifest, type ServerIdentity } from '../domain/backup.ts';
import { AgentError, messageOf } from '../domain/errors.ts';
import { compactReport } from '../keyspace/compact.ts';
import { KeyspaceReport } from '../keyspace/report.ts';
import { formatBytes } from '../lib/bytes.ts';
import { identityOf, readInfo, readServerTime } from '../redis/server.ts';
import { judgeShrinkage, shrinkRule } from './judge-shrinkage.ts';
import type { Job, JobContext, JobResult } from './job.ts';
import { staleRule } from './watch-backups.ts';

export interface BackupOptions {
  /** Ask for the snapshot even where the preflight advises against it. */
  skipPreflight: boolean;
  /** Write to a prefix whose newest backup came from another host or server. */
  takeOver: boolean;
}

/** Longest wait for a store that is to take back what a failed backup left. Milliseconds. */
const discardTimeout = 10_000;

/** Takes one backup: preflight → snapshot → encode → store → manifest. */
export const backupJob: Job<BackupOptions, Manifest> = { name: 'backup', lock: 'repository', run };

async function run(context: JobContext, options: BackupOptions): Promise<JobResult<Manifest>> {
  const { repository, clock, log, signal, progress, settings } = context;
  progress.report({ phase: 'preflight' });
  const server = await describeServer(context, options);
  const listing = await repository.list(signal);
  if (!options.takeOver) refuseForeignPrefix(context, listing, server);
  await clearLeftOvers(context, listing);

  await using snapshot = await takeSnapshot(() => context.connect(), {
    clock,
    log,
    signal,
    timeout: settings.backup.snapshot_timeout,
    onProgress: ({ phase, fraction }) =>
      progress.report({ phase, ...(fraction === undefined ? {} : { done: fraction, total: 1 }) }),
  });
  await requireRoom(context, listing, snapshot.bytes);
  const id = nextId(snapshot.requestedAt, listing.backups.at(-1)?.id);
  const manifest = await storeAll(context, id, snapshot);

  const [artefact] = manifest.artefacts;
  const size = `${formatBytes(artefact?.plain.bytes ?? 0)}, stored ${formatBytes(artefact?.stored.bytes ?? 0)}`;
  return {
    value: manifest,
    summary: `backup ${id} of ${countKeys(manifest)} keys (${size})`,
    findings: judgeShrinkage(context, [...listing.backups, asEntry(manifest)]),
    // There is a new one now, so none can be missing or too old.
    evaluated: [{ rules: [shrinkRule] }, { rules: [staleRule] }],
  };
}

/** Sorts after the newest there is, also within the same second. */
function nextId(now: number, newest: string | undefined): string {
  const second = makeBackupId(now, 0).slice(0, -4);
  const from = newest?.startsWith(second) === true ? Number.parseInt(newest.slice(-4), 16) + 1 : 0;
  return from > 0xffff ? makeBackupId(now + 1000, 0) : makeBackupId(now, randomInt(from, 0x1_0000));
}

/** INFO once, judged before anything is asked of the server. */
async function describeServer(context: JobContext, options: BackupOptions): Promise<ServerIdentity> {
  const connection = await context.connect();
  try {
    if (!options.skipPreflight) await preflight(connection, { log: context.log });
    return identityOf(await readInfo(connection), await readServerTime(connection));
  } finally {
    connection.close();
  }
}

function refuseForeignPrefix(context: JobContext, listing: Listing, server: ServerIdentity): void {
  const newest = listing.backups.findLast((entry) => entry.state === 'complete')?.manifest;
  const reason = judgeWriter(newest, { writer: context.writer, server });
  if (reason === undefined) return;
  const { instance, store } = context.repository;
  throw new AgentError(
    'refused',
    `${store.description} is in use by another agent for instance ${instance}: ${reason}`,
    {
      reason: 'foreign-writer',
      hint: 'give this instance a name or repository of its own, or, when it replaces that one, run: redis-agent backup --take-over',
    },
  );
}

/** What a killed run left: temporary files, uploads, artefacts without a manifest. The lock is ours, so none is in use. */
async function clearLeftOvers(
  { repository, clock, log, signal }: JobContext,
  listing: Listing,
): Promise<void> {
  const swept = await repository.sweep(new Date(clock.now()), signal);
  const incomplete = listing.backups.filter((entry) => entry.state === 'incomplete');
  for (const entry of incomplete) await repository.remove(entry, signal);
  const cleared = [...swept, ...incomplete.map((entry) => entry.id)];
  if (cleared.length > 0) log.info({ cleared }, 'cleared what an interrupted backup had left');
}

/** Fails before the upload, and not in the middle of it, when a local repository is too full. */
async function requireRoom({ repository }: JobContext, listing: Listing, plainBytes: number): Promise<void> {
  const free = await repository.store.free();
  if (free === undefined) return;
  const last = listing.backups.findLast((entry) => entry.state === 'complete')?.manifest.artefacts[0];
  const share = last === undefined || last.plain.bytes === 0 ? 0.7 : last.stored.bytes / last.plain.bytes;
  const needed = Math.ceil(plainBytes * Math.min(share, 1) * 1.1) + 1024 * 1024;
  if (free >= needed) return;
  throw new AgentError(
    'repository',
    `${repository.store.description} has ${formatBytes(free)} free, and this backup needs about ${formatBytes(needed)}`,
    { reason: 'full', hint: 'free some space, keep fewer days (backup.retention) or move the repository' },
  );
}

/** Artefact, then manifest. What a failure leaves is taken back at once: on a full disk it would stand in the way. */
async function storeAll(context: JobContext, id: string, snapshot: Snapshot): Promise<Manifest> {
  const { repository, signal } = context;
  const stored = await storeArtefact(context, id, snapshot);
  // From here on the id is ours: a put that fails leaves nothing, and may have failed because somebody else has it.
  try {
    await requireWhole(context, id, stored.artefact);
    // Names of keys are content: where that is encrypted, they are not kept in the clear.
    if (stored.artefact.encryption === null && !('unread' in stored.content))
      await repository.writeKeyspace(id, compactReport(stored.keyspace.summary()), signal);
    const manifest = describe(context, { id, snapshot, ...stored });
    await repository.writeManifest(manifest, signal);
    return manifest;
  } catch (error) {
    await repository.discard(id, AbortSignal.timeout(discardTimeout)).catch((cause: unknown) => {
      context.log.warn({ backup: id, cause: messageOf(cause) }, 'could not clear up: the next backup will');
    });
    throw error;
  }
}

async function storeArtefact(
  context: JobContext,
  id: string,
  snapshot: Snapshot,
): Promise<EncodedRdb & { keyspace: KeyspaceReport }> {
  const { repository, settings, signal, progress } = context;
  const { compression, encryption } = settings.repository;
  const keyspace = new KeyspaceReport({ now: context.clock.now() });
  const encoding = encodeRdb(snapshot, {
    listener: keyspace,
    compression,
    recipients: encryption.age_recipients,
    signal,
    onProgress: (done) => progress.report({ phase: 'storing', done, total: snapshot.bytes, unit: 'bytes' }),
  });
  await repository.store.put(repository.artefactKey(id, { name: encoding.name }), encoding.chunks, {
    signal,
  });
  return { ...encoding.result(), keyspace };
}

async function requireWhole(
  { repository, signal }: JobContext,
  id: string,
  artefact: Artefact,
): Promise<void> {
  const key = repository.artefactKey(id, artefact);
  const object = await repository.store.stat(key, { signal });
  if (object?.bytes === artefact.stored.bytes) return;
  throw new AgentError(
    'repository',
    `${key} has ${object?.bytes ?? 'no'} bytes in ${repository.store.description}, and ${artefact.stored.bytes} were sent`,
    { reason: 'truncated', hint: 'does something else write to or expire objects below this prefix?' },
  );
}

function describe(
  context: JobContext,
  { id, snapshot, artefact, rdbVersion, crc, content }: { id: string; snapshot: Snapshot } & EncodedRdb,
): Manifest {
  const now = context.clock.now();
  const duration = Math.max(0, now - snapshot.requestedAt) / 1000;
  const read = !('unread' in content);
  const checksum = crc === 'ok' ? 'CRC64 right' : 'the server writes no checksum';
  const proof = `${read ? 'every record read, ' : ''}${checksum}`;
  return {
    schema: manifestSchema,
    id,
    instance: context.instance.name,
    kind: 'rdb',
    requested_at: new Date(snapshot.requestedAt).toISOString(),
    snapshot_at: new Date(snapshot.savedAt).toISOString(),
    completed_at: new Date(now).toISOString(),
    duration_seconds: duration,
    writer: context.writer,
    server: snapshot.server,
    rdb_version: rdbVersion,
    rdb_checksum: crc === 'ok',
    artefacts: [artefact],
    keyspace: read ? { databases: content.databases, exact: true } : snapshot.keyspace,
    content: read
      ? { types: content.types, aux: content.aux, unread: null }
      : { types: {}, aux: {}, unread: content.unread },
    verified: {
      at: new Date(now).toISOString(),
      level: 'written',
      ok: true,
      summary: `read from the server (${proof}) and stored at full length`,
      duration_seconds: duration,
    },
  };
}

/** Keys over all databases. */
export function countKeys(manifest: Pick<Manifest, 'keyspace'>): number {
  return Object.values(manifest.keyspace.databases).reduce((sum, { keys }) => sum + keys, 0);
}

function asEntry(manifest: Manifest): BackupEntry {
  return { id: manifest.id, state: 'complete', manifest, objects: [], verifications: [], accepted: false };
}
