import { compareVersions, type EngineVersion } from './engine.ts';

/** Which of the servers that were probed speak for a version. */
export interface Witnesses {
  /** Of the same line (7.0.x for 7.0), the nearest one. */
  exact: number | undefined;
  /** Else its neighbours below and above, of the same engine (of Redis, below Valkey's first). */
  below: number | undefined;
  above: number | undefined;
}

/** `servers` as the tables list them: `redis-7.0.15`. */
export function witnessesFor(servers: readonly string[], { engine, version }: EngineVersion): Witnesses {
  const all = servers
    .map((name, at) => ({
      at,
      engine: name.slice(0, name.indexOf('-')),
      version: name.slice(name.indexOf('-') + 1),
    }))
    .toSorted((a, b) => compareVersions(a.version, b.version));
  const own = all.filter((one) => one.engine === engine);
  const line = lineOf(version);
  const same = own.filter((one) => `${one.version}.`.startsWith(`${line}.`));
  const exact = same.find((one) => compareVersions(one.version, version) >= 0) ?? same.at(-1);
  // Valkey began as Redis 7.2.4.
  const older =
    engine === 'valkey'
      ? all.filter((one) => one.engine === 'redis' && compareVersions(one.version, '7.3') < 0)
      : [];
  const below = own.findLast((one) => compareVersions(one.version, version) < 0) ?? older.at(-1);
  const above = own.find((one) => compareVersions(one.version, version) > 0);
  return { exact: exact?.at, below: below?.at, above: above?.at };
}

/** `7.0` of `7.0.15`; of `8` every 8.x is one line. */
function lineOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}
