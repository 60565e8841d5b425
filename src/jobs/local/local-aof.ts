import { archiveAofSet } from '../../backup/aof/archive.ts';
import { findAofSource, isPartOfSet } from '../../backup/aof/aof-source.ts';
import { checkAofSet, type CheckedAof } from '../../backup/aof/check-set.ts';
import type { AofPart } from '../../backup/aof/copy-set.ts';
import type { OpenAofSet } from '../../backup/aof/open-set.ts';
import { readRange } from '../../backup/aof/read-range.ts';
import { PlainCheck } from '../../backup/artefact/plain-check.ts';
import { gatherFacts } from '../../backup/restore/gather-facts.ts';
import { plainNames, type Artefact, type Manifest } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { AofArchiveCheck } from '../../formats/aof/archive-check.ts';
import { printable } from '../../lib/text/printable.ts';
import { countAof } from '../prove/count-aof.ts';
import { describeLocal, type LocalBackup } from './describe-local.ts';
import type { JobContext } from '../job.ts';
import { targetOf } from '../fetch/stage.ts';
import { requireSound, soundParts } from '../prove/sound-aof.ts';

/** Reads all of an append only file, and has a scratch server count its keys where this host can. See openLocal. */
export async function openLocalAof(context: JobContext, path: string): Promise<LocalBackup> {
  const checked = await check(context, path);
  try {
    return await describe(context, path, checked);
  } catch (error) {
    await checked[Symbol.asyncDispose]();
    throw error;
  }
}

async function check({ clock, signal, progress }: JobContext, path: string): Promise<CheckedAof> {
  const source = await findAofSource(path);
  if (isPartOfSet(source))
    throw new AgentError('usage', `${path} is one file of a set, which a server loads whole`, {
      reason: 'missing',
      hint: 'name its folder (appenddirname) or its manifest',
    });
  const checked = await checkAofSet(source, {
    clock,
    signal,
    live: false,
    loadTruncated: undefined,
    known: [],
    deep: true,
    onProgress: (done, total) => progress.report({ phase: 'reading', done, total, unit: 'bytes' }),
  });
  if (checked !== undefined) return checked;
  throw new AgentError('usage', `there is no append only file at ${path}`, {
    reason: 'missing',
    hint: 'name its folder (appenddirname), its manifest or its one file',
  });
}

async function describe(context: JobContext, path: string, checked: CheckedAof): Promise<LocalBackup> {
  const { scanned } = checked;
  const set = requireSound(checked, {
    what: `${path} cannot be restored`,
    instead: `see what a cut would keep: redis-agent aof check ${path} --fix --to DIR; and restore that: redis-agent restore DIR`,
    // Whoever restores it has to see what is cut off.
    torn: false,
  });
  const parts = soundParts(checked);
  const writtenAt = Math.max(...scanned.map(({ file }) => Number(BigInt(file.modified) / 1_000_000n)));
  const archive = archiveAofSet(set, parts, Math.floor(writtenAt / 1000));
  const read: LocalBackup['read'] = (signal) =>
    readRange(archive.handle, { from: 0, to: archive.bytes, name: path, signal });
  const { artefact, content, rdbVersion, unread } = await sum(path, read, context.signal);
  const writer = scanned.map(({ scan }) => scan.preamble?.writtenBy).find((one) => one !== undefined);
  const uncounted = describeLocal(context, {
    path,
    kind: 'aof',
    artefact,
    writtenAt,
    server: writer ?? { engine: 'redis', version: content.layout === 'single' ? '6' : '7' },
    // What lies somewhere says nothing of memory: its size is a measure, if a bad one.
    usedMemory: artefact.plain.bytes,
    rdb_version: rdbVersion,
    rdb_checksum: false,
    keyspace: { databases: {}, exact: false },
    aof: content,
    content: { types: {}, aux: {}, unread },
    summary: `read from ${path}: the framing of every command`,
  });
  const databases = await count(context, { set, parts, manifest: uncounted });
  const keyspace = databases === undefined ? uncounted.keyspace : { databases, exact: true };
  return {
    manifest: { ...uncounted, keyspace },
    read,
    [Symbol.asyncDispose]: () => checked[Symbol.asyncDispose](),
  };
}

/** What a server of the version holds that will load it; undefined where none can be had here. */
async function count(
  context: JobContext,
  { set, parts, manifest }: { set: OpenAofSet; parts: readonly AofPart[]; manifest: Manifest },
): Promise<Manifest['keyspace']['databases'] | undefined> {
  const { instance, clock, signal } = context;
  const { host } = context;
  const facts = await gatherFacts({ instance, host, connect: () => context.connect(), clock, signal });
  const info = new Map([...targetOf(facts, manifest), ['used_memory', String(manifest.server.used_memory)]]);
  const loaded = await countAof(context, set, parts, info);
  return 'notLoaded' in loaded ? undefined : loaded.databases;
}

type Sound = Omit<ReturnType<AofArchiveCheck['finish']> & { sound: true }, 'sound'>;

async function sum(
  path: string,
  read: LocalBackup['read'],
  signal: AbortSignal,
): Promise<Sound & { artefact: Artefact }> {
  const plain = new PlainCheck(new AofArchiveCheck());
  for await (const chunk of read(signal)) plain.update(chunk);
  const { digest, verdict } = plain.finish();
  if (!verdict.sound)
    throw new AgentError('damaged', `${path}: ${printable(verdict.problem)}`, { reason: 'corrupt' });
  const artefact: Artefact = {
    name: plainNames.aof,
    plain: digest,
    stored: digest,
    compression: { algorithm: 'none' },
    encryption: null,
  };
  return { ...verdict, artefact };
}
