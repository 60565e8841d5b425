import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { formatAofManifest } from '../../formats/aof/aof-manifest.ts';
import { writeAtomic } from '../../lib/files/write-atomic.ts';
import { manifestName } from './aof-source.ts';
import type { OpenAofFile, OpenAofSet } from './open-set.ts';
import { readRange } from './read-range.ts';

/** A file and how many of its bytes to take. */
export interface AofPart {
  file: OpenAofFile;
  bytes: number;
}

/**
 * Copies the first bytes of files that are held open into `folder`, which must not hold any of them, with a manifest that
 * lists just these and no history. Durable when it resolves. Byte copies and no hard links: check tools and servers cut
 * files short, and a link would let them cut the original. Rejects with a system error or the signal's reason; the caller
 * clears the folder then.
 *
 * Resolves with the path to hand to a check tool: the manifest, or the single file.
 */
export async function copyAofSet(
  { source, manifest }: OpenAofSet,
  parts: readonly AofPart[],
  folder: string,
  signal: AbortSignal,
): Promise<string> {
  for (const part of parts) await copyPart(part, join(folder, part.file.name), signal);
  const [first] = parts;
  if (manifest === undefined) return join(folder, first?.file.name ?? '');
  const names = new Set(parts.map(({ file }) => file.name));
  const base = manifest.base !== undefined && names.has(manifest.base.name) ? manifest.base : undefined;
  const incrs = manifest.incrs.filter(({ name }) => names.has(name));
  const path = join(folder, manifestName(source));
  await writeAtomic(path, formatAofManifest({ base, incrs }), { mode: 0o600 });
  return path;
}

async function copyPart({ file, bytes }: AofPart, target: string, signal: AbortSignal): Promise<void> {
  const copy = await open(target, 'wx', 0o600);
  try {
    for await (const chunk of readRange(file.handle, { from: 0, to: bytes, name: file.name, signal }))
      await copy.writeFile(chunk);
    await copy.sync();
  } finally {
    await copy.close();
  }
}
