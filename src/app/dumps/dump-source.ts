import { backupIdTime } from '../../backup/id.ts';
import type { Repository } from '../../backup/repository.ts';
import type { Manifest } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { RdbError, type RdbHandler } from '../../formats/rdb/rdb-handler.ts';
import { RdbReader, type ReaderOptions, type RdbSummary } from '../../formats/rdb/rdb-reader.ts';
import { printable } from '../../lib/text/printable.ts';
import { backupSource, fileSource, inputSource, type KeySource } from '../../jobs/keys/key-source.ts';
import type { DumpContext } from './dump-context.ts';

/** A backup id, `latest` or `previous` from the repository, a path, or `-`: only backups need a configuration. */
export async function openDump(context: DumpContext, source: string): Promise<KeySource> {
  if (source === '-') {
    if (context.stdin.isTTY === true)
      throw new AgentError('usage', 'standard input is a terminal', { hint: 'pipe a dump into it' });
    return inputSource(context.stdin);
  }
  const named = source === 'latest' || source === 'previous';
  if (!named && backupIdTime(source) === undefined) return fileSource(source);
  const app = await context.app();
  const repository = await app.repository(app.instance(context.globals.instance));
  const manifest =
    source === 'previous'
      ? await findPrevious(repository, context.signal)
      : await repository.find(source, context.signal, 'rdb');
  return backupSource({ repository, identities: () => app.identities() }, manifest);
}

/** The newest dump before what `latest` is. */
async function findPrevious(repository: Repository, signal: AbortSignal): Promise<Manifest> {
  const latest = await repository.find('latest', signal, 'rdb');
  const { backups } = await repository.list(signal);
  const previous = backups
    .flatMap((entry) => (entry.state === 'complete' ? [entry.manifest] : []))
    .findLast(({ id, kind }) => kind === 'rdb' && id < latest.id);
  if (previous !== undefined) return previous;
  throw new AgentError(
    'failed',
    `instance ${repository.instance} has no backup before ${latest.id} in ${repository.store.description}`,
    { reason: 'missing', hint: 'take one more: redis-agent backup' },
  );
}

/** What `redis-cli --rdb` leaves behind a dump that it got without a disk in between and could not cut off. */
const markerBytes = 40;

export interface DumpRead extends RdbSummary {
  /** Does a replication marker follow the dump? */
  marker: boolean;
}

/** Reads a dump to its end, with progress. Throws an RdbError, or what the source throws. */
export async function readDump(
  { progress, signal }: DumpContext,
  source: KeySource,
  handler: RdbHandler,
  options: ReaderOptions = {},
): Promise<DumpRead> {
  const reader = new RdbReader(handler, options);
  // The last bytes are held back until it is known whether they are a marker.
  let held = Buffer.alloc(0);
  let done = 0;
  for await (const chunk of source.open(signal)) {
    done += chunk.length;
    if (chunk.length >= markerBytes) {
      reader.update(held);
      reader.update(chunk.subarray(0, -markerBytes));
      held = Buffer.from(chunk.subarray(-markerBytes));
    } else {
      const joined = Buffer.concat([held, chunk]);
      reader.update(joined.subarray(0, Math.max(0, joined.length - markerBytes)));
      held = joined.subarray(-markerBytes);
    }
    const total = source.bytes === undefined ? {} : { total: source.bytes };
    progress.report({ phase: 'reading', done, unit: 'bytes', ...total });
  }
  // No RDB ends like that: its last bytes are an end opcode, which is no letter, and a checksum.
  const marker = /^[0-9a-f]{40}$/.test(held.toString('latin1'));
  if (!marker) reader.update(held);
  return { ...reader.finish(), marker };
}

/** A fault for people, in one line: what, where, in which key. */
export function describeFault({ message, offset, record }: RdbError): string {
  const where = record === undefined ? '' : `, record ${record.index}`;
  const key = record === undefined || record.key === '' ? '' : `, key "${printable(record.key)}"`;
  return `byte ${offset}${where}${key}: ${message}`;
}

/** The error for a dump that cannot be read to its end; anything else as it is. */
export function dumpError(source: KeySource, error: unknown): unknown {
  if (!(error instanceof RdbError)) return error;
  const message = `${printable(source.name)}: ${describeFault(error)}`;
  if (error.kind === 'damaged')
    return new AgentError('damaged', message, { cause: error, reason: 'corrupt' });
  const hint = 'a newer redis-agent may know it';
  return new AgentError('failed', message, { cause: error, reason: 'unknown', hint });
}
