import type { AofFile, AofManifest } from './aof-manifest.ts';

/**
 * An append only file in an archive lies as a server with default settings has it below its `dir`, whatever it was called
 * where it came from: one file, or a folder with a manifest. So it can be unpacked into any server's folder by hand.
 */
export const archiveFile = 'appendonly.aof';
const folder = 'appendonlydir/';
export const archiveManifest = `${folder}${archiveFile}.manifest`;

const member = /^appendonlydir\/(appendonly\.aof\.(?:\d{1,15}\.(?:base\.(?:rdb|aof)|incr\.aof)|manifest))$/;

/** Of a file in an archive, its bare name; undefined for what no archive of ours has. Nothing else may be unpacked. */
export function memberName(path: string): string | undefined {
  return path === archiveFile ? path : member.exec(path)?.[1];
}

/** Its name in an archive. `name` is bare. */
export function memberPath(name: string): string {
  return `${folder}${name}`;
}

/** The same manifest for files that are named after `stem` (`appendfilename`), as servers name them. No history. */
export function renamedManifest(
  { base, incrs }: Pick<AofManifest, 'base' | 'incrs'>,
  stem: string,
): Pick<AofManifest, 'base' | 'incrs'> {
  const renamed = (file: AofFile): AofFile => ({ ...file, name: nameAfter(stem, file) });
  return { base: base && renamed(base), incrs: incrs.map(renamed) };
}

function nameAfter(stem: string, { name, seq, type }: AofFile): string {
  if (type === 'i') return `${stem}.${seq}.incr.aof`;
  return `${stem}.${seq}.base.${name.endsWith('.rdb') ? 'rdb' : 'aof'}`;
}
