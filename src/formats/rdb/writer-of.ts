import type { Engine } from './rdb-version.ts';

/** Which server wrote a dump, by its notes (`redis-ver`, `valkey-ver`); undefined where they do not tell. */
export function writerOf(
  note: (name: string) => string | undefined,
): { engine: Engine; version: string } | undefined {
  const valkey = note('valkey-ver');
  const version = valkey ?? note('redis-ver');
  if (version === undefined || !/^\d+(?:\.\d+)*$/.test(version)) return undefined;
  return { engine: valkey === undefined ? 'redis' : 'valkey', version };
}
