import type { Engine } from '../../domain/backup.ts';
import type { RdbVersion } from '../../formats/rdb/rdb-version.ts';

/** The newest RDB that Redis reads, from its version on; newest first (rdb.h). */
const redisReads: [from: number, rdb: number][] = [
  [7.4, 12],
  [7.2, 11],
  [7, 10],
  [0, 9],
];
/** Valkey's own numbers begin at 80, and those of Redis between 12 and 79 are foreign to it. */
const foreignSince = 12;

/** Pure: does a server of that version load a file of this one? */
export function canLoad(
  server: { engine: Engine; version: string },
  { engine, version }: RdbVersion,
): boolean {
  const [major = 0, minor = 0] = server.version.split('.').map(Number);
  if (server.engine === 'redis') {
    const [, newest = 0] = redisReads.find(([from]) => major + minor / 10 >= from) ?? [];
    return engine === 'redis' && version <= newest;
  }
  if (engine === 'valkey') return major >= 9 && version <= 80;
  return version < foreignSince;
}
