import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FailedKeys } from '../../../src/backup/restore-keys/tally.ts';
import { connectBinary } from '../servers/binary-client.ts';
import { boundaryKeys } from '../data/boundary-keys.ts';
import { runAgent } from '../agent/cli.ts';
import { holdKeys, type HeldKeys } from '../data/compare-keys.ts';
import { fillServer, hasFieldExpiry } from '../data/data-set.ts';
import {
  edgeBuilds,
  serverBuilds,
  startServer,
  type ServerBuild,
  type TestServer,
} from '../servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';

const builds = serverBuilds();
/** fillServer's, and one for keys at the limits of every encoding. */
const databases = [0, 1, 5, 9, 15];

/** Registers the tests of every pair of builds that begins with one of these, which are every `of`th from the `part`th on. */
export function roundTrips(part: number, of: number): void {
  const sources = builds.filter((_, index) => index % of === part - 1);
  describe.each(sources.map((build) => [build.name, build] as const))('from %s', (_name, build) => {
    roundTripsFrom(build);
  });
}

function roundTripsFrom(from: ServerBuild): void {
  let source: TestServer;
  let held: HeldKeys;
  let digest: string;
  let folder: string;
  let dump: string;

  beforeAll(async () => {
    folder = makeTempFolder();
    dump = join(folder, 'copy.rdb');
    source = await startServer({ build: from });
    await fillServer(source);
    using client = connectBinary(source);
    await client.call('SELECT', 9);
    await Promise.all(boundaryKeys(from).map(([name, ...args]) => client.call(name, ...args)));
    await source.call('SAVE');
    copyFileSync(source.dumpPath, dump);
    digest = String(await source.call('DEBUG', 'DIGEST'));
    held = await holdKeys(source, databases);
  });
  afterAll(async () => {
    await source.stop();
    removeTempFolder(folder);
  });

  test.each(
    // In a usual run into the oldest, the newest, and what it comes from.
    builds
      .filter((to) => to === from || edgeBuilds().includes(to))
      .flatMap((to) => [
        [to.name, 'RESTORE', to, []] as const,
        // Plain commands are the same wherever they go to.
        ...(to === from ? [[to.name, 'plain commands', to, ['-restore']] as const] : []),
      ]),
  )('into %s by %s: every value and expiry is the same', async (_to, how, to, rights) => {
    const target = await startServer({ build: to });
    await target.call('ACL', 'SETUSER', 'default', ...rights);
    const args = ['restore', dump, '--keys', '*', '--into', target.url, '--yes', '--json'];
    const { json: dry } = await runAgent([...args, '--dry-run']);
    const { json } = await runAgent(args);
    expect(json.plan.method).toBe(how === 'RESTORE' ? 'restore' : 'commands');
    const losesFields = hasFieldExpiry(from) && !hasFieldExpiry(to);
    const lost = [...held.keys.keys()].filter(
      (place) => losesFields && /expiring:(?!persisted)|fields/.test(place),
    );
    expect(json.result).toMatchObject({ written: held.keys.size - lost.length, existing: 0, expired: 0 });
    expect(dry.plan.survey.keys).toBe(json.result.written);
    const failures = counted(json.result.failed);
    expect(counted(dry.plan.survey.impossible)).toEqual(failures);
    expect(failures).toEqual(
      losesFields ? [`${lost.length}: some of its fields expire, which this server cannot do`] : [],
    );
    const found = from === to ? await target.call('DEBUG', 'DIGEST') : 'comparable only within a version';
    expect(found).toBe(from === to ? digest : found);
    await compare(held, await holdKeys(target, databases), lost);
  });
}

function counted(failures: FailedKeys[]): string[] {
  return failures.map(({ reason, keys }) => `${keys}: ${reason}`);
}

/**
 * Values whose digest is another are read by commands: sorted sets, whose scores Redis 7.2 and later print otherwise, and
 * hashes with fields that expire. Digests leave out what belongs to a stream's groups.
 */
async function compare(source: HeldKeys, target: HeldKeys, lost: string[]): Promise<void> {
  expect([...target.keys.keys()].toSorted()).toEqual(
    [...source.keys.keys()].filter((place) => !lost.includes(place)).toSorted(),
  );
  for (const [place, wanted] of source.keys) {
    const found = target.keys.get(place);
    if (found === undefined) continue;
    expect([place, found.type, Math.abs(found.expires - wanted.expires) < 1000]).toEqual([
      place,
      wanted.type,
      true,
    ]);
    if (found.digest === wanted.digest && found.type !== 'stream') continue;
    expect([place, await target.value(place)]).toEqual([place, await source.value(place)]);
  }
}
