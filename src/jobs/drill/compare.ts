import { ContentDigest, type DigestOptions } from '../../backup/drill/content-digest.ts';
import { Differences } from '../../backup/drill/differences.ts';
import type { DrillComparison } from '../../domain/drill.ts';
import { AgentError } from '../../domain/errors.ts';
import { placeOf } from '../../formats/rdb/rdb-check.ts';
import { RdbError } from '../../formats/rdb/rdb-handler.ts';
import { openForeign } from '../../lib/files/foreign-file.ts';
import { printable } from '../../lib/text/printable.ts';

const chunkBytes = 1024 * 1024;
/** Of these groups keys are named; each is one 4096th of all. */
const namedGroups = 4;

/** Counts bytes as they are read. */
export type OnRead = (bytes: number) => void;

/** Reads a dump whole, every value of it decoded. Throws RdbError. */
export async function digestFile(
  file: string,
  signal: AbortSignal,
  { onRead, ...options }: DigestOptions & { onRead?: OnRead } = {},
): Promise<ContentDigest> {
  const digest = new ContentDigest(options);
  await using opened = await openForeign(file);
  // One for all: the reader keeps none of it.
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await opened.read(buffer, 0, chunkBytes);
    if (bytesRead === 0) break;
    digest.reader.update(buffer.subarray(0, bytesRead));
    onRead?.(bytesRead);
  }
  digest.reader.finish();
  return digest;
}

/**
 * Does what a server wrote hold what it has loaded? Databases, keys, types, expiries, every element of every value and
 * functions; not how they are encoded, and not when keys were last used.
 */
export async function compareWith(
  expected: { digest: ContentDigest; file: string; withNames: boolean },
  written: string,
  signal: AbortSignal,
  onRead: OnRead,
): Promise<DrillComparison> {
  const { digest } = expected;
  const streams = { streams: digest.streams };
  const found = await digestFile(written, signal, { ...streams, onRead });
  const groups = digest.differingGroups(found);
  const differences: string[] = [];
  if (groups.length > 0) {
    const finder = new Differences(expected.withNames);
    const some = new Set(groups.slice(0, namedGroups));
    await digestFile(expected.file, signal, {
      ...streams,
      watch: { groups: some, onKey: (key) => finder.expect(key) },
    });
    await digestFile(written, signal, {
      ...streams,
      watch: { groups: some, onKey: (key) => finder.find(key) },
    });
    differences.push(...finder.lines());
    if (groups.length > some.size)
      differences.push(`and others in ${groups.length - some.size} of 4096 groups of keys`);
  }
  if (!digest.sameFunctions(found)) differences.push('the function libraries are not the same');
  return {
    keys: digest.keys,
    elements: digest.elements,
    incomplete: digest.incomplete,
    differences,
  };
}

/** What cannot be read by us may be read by a server: then there is nothing to compare with. Else it is damaged. */
export function unreadable(error: unknown): string {
  if (!(error instanceof RdbError)) throw error;
  const place = printable(placeOf(error));
  if (error.kind === 'unknown') return place;
  throw new AgentError('damaged', `damaged inside a value: ${place}`, { cause: error });
}
