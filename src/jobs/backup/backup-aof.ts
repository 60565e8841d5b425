import { counted } from '../../lib/text/counted.ts';
import { archiveAofSet } from '../../backup/aof/archive.ts';
import { haveItsLength } from '../../backup/aof/judge-identity.ts';
import { checkAofSet, type CheckedAof } from '../../backup/aof/check-set.ts';
import type { OpenAofSet } from '../../backup/aof/open-set.ts';
import { waitForAof } from '../../backup/aof/wait-for-rewrite.ts';
import { encodeAof, type EncodedAof } from '../../backup/artefact/encode.ts';
import { schemaOf, type ClusterPlace, type Manifest, type ServerIdentity } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { infoInteger, infoKeyspace, type Info } from '../../formats/info/parse-info.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import type { AofPlace } from '../../redis/aof-place.ts';
import { readClusterPlace } from '../../redis/cluster.ts';
import { requireOwnFolder } from '../../redis/process/own-folder.ts';
import { identityOf, readInfo, readServerTime } from '../../redis/server.ts';
import { asEntry, countKeys } from './backup.ts';
import type { BackupOptions } from './backup-options.ts';
import { clearLeftOvers, commitBackup, nextId, refuseForeignPrefix, requireRoom } from './backup-steps.ts';
import { countAof } from '../prove/count-aof.ts';
import { keepConfig } from './keep-config.ts';
import { judgeShrinkage } from './judge-shrinkage.ts';
import type { JobContext, JobResult } from '../job.ts';
import { requireSound, soundParts } from '../prove/sound-aof.ts';
import { shrinkRule, staleRule } from './rules.ts';

export async function takeAofBackup(
  context: JobContext,
  options: BackupOptions,
): Promise<JobResult<Manifest>> {
  const { repository, signal, progress } = context;
  progress.report({ phase: 'preflight' });
  const view = await look(context, options);
  const listing = await repository.list(signal);
  if (!options.takeOver) refuseForeignPrefix(context, listing, view.server);
  await clearLeftOvers(context, listing);

  let proven = view.seen;
  await using checked = await readSet(context, view, async (set) => {
    proven ||= await isWrittenBy(context, view, set);
  });
  if (!proven)
    context.log.warn(
      { folder: view.place.dir },
      'these files are taken for the server’s by its word alone: its process was not seen there, and it counts other lengths',
    );
  const { set } = checked;
  const parts = soundParts(checked);
  const archive = archiveAofSet(set, parts, Math.floor(view.at / 1000));
  await requireRoom(context, listing, { kind: 'aof', bytes: archive.bytes });
  const loaded = await countAof(context, set, parts, view.info);

  const id = nextId(view.at, listing.backups.at(-1)?.id);
  const { settings } = context;
  const encoding = encodeAof(archive, {
    compression: settings.repository.compression,
    recipients: settings.repository.encryption.age_recipients,
    signal,
    onProgress: (done) => progress.report({ phase: 'storing', done, total: archive.bytes, unit: 'bytes' }),
  });
  const key = repository.artefactKey(id, { name: encoding.name });
  await repository.store.put(key, encoding.chunks, { signal, expected: archive.bytes });
  const encoded = encoding.result();
  const manifest = await commitBackup(context, id, encoded.artefact, async () => {
    const config = await keepConfig(context, id);
    const described = describe(context, { id, view, encoded, loaded });
    return { ...described, ...(config && { config }), ...(!proven && { identity: 'unproven' as const }) };
  });
  const { plain, stored } = encoded.artefact;
  return {
    value: manifest,
    summary: `backup ${id} of the AOF, ${counted(countKeys(manifest), 'key')} (${formatBytes(plain.bytes)}, stored ${formatBytes(stored.bytes)})`,
    findings: judgeShrinkage(context, [...listing.backups, asEntry(manifest)]),
    evaluated: [{ rules: [shrinkRule.id, staleRule.id] }],
  };
}

/** The server in the moment before its files are opened. */
interface View {
  place: AofPlace;
  info: Info;
  server: ServerIdentity;
  /** Of a node of a cluster. */
  cluster: ClusterPlace | undefined;
  /** Was its process seen at work in that folder? */
  seen: boolean;
  /** Its clock, milliseconds. */
  at: number;
}

async function look(context: JobContext, { skipPreflight }: BackupOptions): Promise<View> {
  const { clock, signal, settings, progress } = context;
  const connection = await context.connect();
  try {
    const { info, place } = await waitForAof(connection, {
      clock,
      signal,
      timeout: settings.backup.snapshot_timeout,
      insist: skipPreflight,
      onWait: () => progress.report({ phase: 'waiting for a rewrite' }),
    });
    const seen = await requireOwnFolder(info, connection.target, place.dir);
    const at = await readServerTime(connection);
    const cluster = await readClusterPlace(connection, info);
    return { place, info, server: identityOf(info, at), cluster, seen, at };
  } finally {
    connection.close();
  }
}

/** By their lengths, between two moments of which it tells itself. Who does not answer has shown nothing. */
async function isWrittenBy(context: JobContext, { info }: View, set: OpenAofSet): Promise<boolean> {
  try {
    const connection = await context.connect();
    try {
      return haveItsLength(info, await readInfo(connection), set);
    } finally {
      connection.close();
    }
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof AgentError) return false;
    throw error;
  }
}

/** Its files, held open, and read. Throws an AgentError when they are not what a server would load whole. */
async function readSet(
  { clock, signal, progress, instance }: JobContext,
  { place, info }: View,
  onOpened: (set: OpenAofSet) => Promise<void>,
): Promise<CheckedAof & { set: OpenAofSet }> {
  const checked = await checkAofSet(
    { layout: place.folder === undefined ? 'single' : 'multi-part', path: place.file },
    {
      clock,
      signal,
      live: true,
      written: infoInteger(info, 'aof_current_size'),
      loadTruncated: place.loadTruncated,
      known: [],
      onOpened,
      onProgress: (done, total) => progress.report({ phase: 'reading', done, total, unit: 'bytes' }),
    },
  );
  if (checked === undefined)
    throw new AgentError('failed', `instance ${instance.name}: there is no AOF at ${place.file}`, {
      reason: 'missing',
      hint: 'does the server run in a container or on another host? See: redis-agent aof check',
    });
  try {
    return {
      ...checked,
      set: requireSound(checked, { what: `instance ${instance.name}: no backup of its AOF`, torn: true }),
    };
  } catch (error) {
    await checked[Symbol.asyncDispose]();
    throw error;
  }
}

function describe(
  context: JobContext,
  {
    id,
    view,
    encoded,
    loaded,
  }: { id: string; view: View; encoded: EncodedAof; loaded: Awaited<ReturnType<typeof countAof>> },
): Manifest {
  const now = context.clock.now();
  const at = new Date(view.at).toISOString();
  const duration = Math.max(0, now - view.at) / 1000;
  const { artefact, content, rdbVersion, unread } = encoded;
  const commands = content.files.reduce((sum, file) => sum + file.commands, 0);
  return {
    schema: schemaOf(artefact),
    id,
    instance: context.instance.name,
    kind: 'aof',
    requested_at: at,
    snapshot_at: at,
    completed_at: new Date(now).toISOString(),
    duration_seconds: duration,
    writer: context.writer,
    server: view.server,
    ...(view.cluster && { cluster: view.cluster }),
    rdb_version: rdbVersion,
    rdb_checksum: false,
    artefacts: [artefact],
    keyspace:
      'notLoaded' in loaded
        ? { databases: infoKeyspace(view.info), exact: false }
        : { databases: loaded.databases, exact: true },
    aof: content,
    content: { types: {}, aux: {}, unread },
    verified: {
      at: new Date(now).toISOString(),
      level: 'written',
      ok: true,
      summary: `read from the server (${counted(content.files.length, 'file')}, ${counted(commands, 'command')} whole), ${describeLoad(loaded)}, and stored at full length`,
      duration_seconds: duration,
    },
  };
}

function describeLoad(loaded: Awaited<ReturnType<typeof countAof>>): string {
  if ('notLoaded' in loaded) return `not loaded (${loaded.notLoaded})`;
  const refused =
    loaded.refused === undefined || loaded.refused === 0
      ? ''
      : `, which refused ${loaded.refused} of its commands as the server itself would`;
  return `loaded by a scratch server${refused}`;
}
