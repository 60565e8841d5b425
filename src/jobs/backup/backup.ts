import { counted } from '../../lib/text/counted.ts';
import { encodeRdb, type EncodedRdb } from '../../backup/artefact/encode.ts';
import type { BackupEntry } from '../../backup/repository.ts';
import { preflight } from '../../backup/snapshot/preflight.ts';
import type { Snapshot } from '../../backup/snapshot/snapshot.ts';
import { takeSnapshot } from '../../backup/snapshot/take-snapshot.ts';
import { schemaOf, totalKeys, type Manifest, type ServerIdentity } from '../../domain/backup.ts';
import { compactReport } from '../../keyspace/compact.ts';
import { KeyspaceReport } from '../../keyspace/report.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { identityOf, readInfo, readServerTime } from '../../redis/server.ts';
import { clearLeftOvers, commitBackup, nextId, refuseForeignPrefix, requireRoom } from './backup-steps.ts';
import type { JobContext, JobResult } from '../job.ts';
import type { BackupOptions } from './backup-options.ts';
import { keepConfig } from './keep-config.ts';
import { judgeShrinkage } from './judge-shrinkage.ts';
import { shrinkRule, staleRule } from './rules.ts';

export async function takeBackup(context: JobContext, options: BackupOptions): Promise<JobResult<Manifest>> {
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
  await requireRoom(context, listing, { kind: 'rdb', bytes: snapshot.bytes });
  const id = nextId(snapshot.requestedAt, listing.backups.at(-1)?.id);
  const manifest = await storeAll(context, id, snapshot, options.purpose);

  const [artefact] = manifest.artefacts;
  const size = `${formatBytes(artefact?.plain.bytes ?? 0)}, stored ${formatBytes(artefact?.stored.bytes ?? 0)}`;
  return {
    value: manifest,
    summary: `backup ${id} of ${counted(countKeys(manifest), 'key')} (${size})`,
    findings: judgeShrinkage(context, [...listing.backups, asEntry(manifest)]),
    // There is a new one now, so none can be missing or too old.
    evaluated: [{ rules: [shrinkRule.id, staleRule.id] }],
  };
}

/** INFO once, judged before anything is asked of the server. */
async function describeServer(context: JobContext, options: BackupOptions): Promise<ServerIdentity> {
  const connection = await context.connect();
  try {
    // One that is a step of something else has no flags of its own.
    const insist = options.purpose === undefined ? '--skip-preflight' : undefined;
    if (!options.skipPreflight) await preflight(connection, { log: context.log, insist });
    return identityOf(await readInfo(connection), await readServerTime(connection));
  } finally {
    connection.close();
  }
}

/** Artefact, then manifest. */
async function storeAll(
  context: JobContext,
  id: string,
  snapshot: Snapshot,
  purpose: string | undefined,
): Promise<Manifest> {
  const { repository, signal } = context;
  const stored = await storeArtefact(context, id, snapshot);
  // From here on the id is ours: a put that fails leaves nothing, and may have failed because somebody else has it.
  return await commitBackup(context, id, stored.artefact, async () => {
    // Names of keys are content: where that is encrypted, they are not kept in the clear.
    if (stored.artefact.encryption === null && !('unread' in stored.content))
      await repository.writeKeyspace(id, compactReport(stored.keyspace.summary()), signal);
    const manifest = describe(context, { id, snapshot, ...stored });
    const config = await keepConfig(context, id);
    return { ...manifest, ...(config && { config }), ...(purpose !== undefined && { purpose }) };
  });
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
    expected: snapshot.bytes,
  });
  return { ...encoding.result(), keyspace };
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
    schema: schemaOf(artefact),
    id,
    instance: context.instance.name,
    kind: 'rdb',
    requested_at: new Date(snapshot.requestedAt).toISOString(),
    snapshot_at: new Date(snapshot.savedAt).toISOString(),
    completed_at: new Date(now).toISOString(),
    duration_seconds: duration,
    writer: context.writer,
    server: snapshot.server,
    ...(snapshot.cluster && { cluster: snapshot.cluster }),
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
  return totalKeys(manifest.keyspace.databases);
}

/** A backup that was just taken, as a listing shows it. */
export function asEntry(manifest: Manifest): BackupEntry {
  return {
    id: manifest.id,
    state: 'complete',
    manifest,
    objects: [],
    verifications: [],
    drills: [],
    accepted: false,
  };
}
