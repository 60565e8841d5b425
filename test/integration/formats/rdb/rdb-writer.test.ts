import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { anyKey, anyOther, typesIn, versions } from '../../../support/rdb/arbitraries.ts';
import type { FileItem, FileModel } from '../../../support/rdb/model.ts';
import { readBack } from '../../../support/rdb/read-back.ts';
import { anyStyle, usual } from '../../../support/rdb/style.ts';
import { writeRdb, type WrittenFile } from '../../../support/rdb/rdb-writer.ts';
import { edgeBuilds, startServer, type ServerBuild } from '../../../support/servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';
import { everything, runs } from '../../../support/house/tier.ts';

/** What a build can load. */
function accepts({ engine, version }: ServerBuild): typeof versions {
  const series = Number.parseFloat(version);
  const newest = engine === 'valkey' ? 11 : series < 7 ? 9 : series < 7.2 ? 10 : series < 7.4 ? 11 : 12;
  return versions.filter((one) =>
    one.engine === 'redis' ? one.version <= newest : engine === 'valkey' && series >= 9,
  );
}

/** Servers refuse keys that are there already, code that is no Lua, and modules that they do not have. */
function loadable(items: FileItem[], slotInfo: boolean): FileItem[] {
  const seen = new Set<string>();
  let database = 0;
  return items.flatMap((item, index): FileItem[] => {
    if (item.kind === 'database') ({ database } = item);
    if (item.kind === 'functions') return [{ ...item, code: functionCode(index) }];
    if (item.kind === 'module-aux' || item.kind === 'slot-import') return [];
    if (item.kind === 'slot-info' && !slotInfo) return [];
    // Servers make room for as many keys as they are told of.
    if (item.kind === 'size') return [{ ...item, keys: item.keys % 1000, expires: item.expires % 1000 }];
    if (item.kind !== 'key') return [item];
    const place = `${database} ${Buffer.from(item.name).toString('latin1')}`;
    if (seen.has(place)) return [];
    seen.add(place);
    return [item];
  });
}

function functionCode(index: number): Uint8Array {
  return Buffer.from(`#!lua name=lib${index}\nredis.register_function('f${index}', function() return 1 end)`);
}

function checkRdb(build: ServerBuild, { dumpPath }: { dumpPath: string }): void {
  const { status, stdout } = spawnSync(build.checkRdb, [dumpPath], { encoding: 'utf8' });
  expect({ status, stdout }).toMatchObject({ status: 0 });
}

async function expectLoaded(client: Redis, { records }: WrittenFile): Promise<void> {
  const counts = new Map<number, number>();
  for (const { database } of records) counts.set(database, (counts.get(database) ?? 0) + 1);
  for (const [database, count] of counts) {
    await client.select(database);
    expect(await client.dbsize()).toBe(count);
    for (const { model } of records.filter((record) => record.database === database)) {
      const { asked, expected } = await readBack(client, model);
      expect(asked).toEqual(expected);
    }
  }
}

describe.for(edgeBuilds())('$name', (build) => {
  test.for(accepts(build))('loads what is written as $engine $version', async ({ engine, version }) => {
    const server = await startServer({ build });
    const client = new Redis({ port: server.port, protocol: 2, lazyConnect: true, disableClientInfo: true });
    onTestFinished(() => client.disconnect());
    // valkey-check-rdb of Valkey 8 does not know what the server itself does.
    const slotInfo = build.engine === 'redis' || Number.parseFloat(build.version) >= 9;
    const types = typesIn(engine, version).filter(({ data }) => data !== 'module');
    const files = fc.record({
      checksum: fc.boolean(),
      style: fc.oneof(fc.constant(undefined), fc.nat()),
      items: fc.array(fc.oneof({ weight: 5, arbitrary: anyKey(types, version) }, anyOther(engine, version)), {
        minLength: 1,
        maxLength: 12,
      }),
    });
    await fc.assert(
      fc.asyncProperty(files, async ({ checksum, style, items }) => {
        const model: FileModel = { engine, version, checksum, items: loadable(items, slotInfo) };
        const file = writeRdb(model, style === undefined ? usual : anyStyle(style));
        writeFileSync(server.dumpPath, file.bytes);
        checkRdb(build, server);
        await server.call('DEBUG', 'RELOAD', 'NOSAVE');
        await expectLoaded(client, file);
      }),
      { numRuns: everything ? 12 : 4, endOnFailure: true },
    );
  });

  // To load them takes the module; the check tool reads past them by their own opcodes.
  test("checks modules' values and data", () => {
    const newest = accepts(build).findLast(({ version }) => version >= 9);
    if (newest === undefined) throw new Error('every server knows modules');
    const { engine, version } = newest;
    const modules = typesIn(engine, version).filter(({ data }) => data === 'module');
    const data = anyOther(engine, version).filter(({ kind }) => kind === 'module-aux');
    const folder = makeTempFolder();
    onTestFinished(() => removeTempFolder(folder));
    const dumpPath = join(folder, 'dump.rdb');
    fc.assert(
      fc.property(fc.array(fc.oneof(anyKey(modules, version), data)), fc.nat(), (items, style) => {
        writeFileSync(dumpPath, writeRdb({ engine, version, items, checksum: true }, anyStyle(style)).bytes);
        checkRdb(build, { dumpPath });
      }),
      { numRuns: runs(20), endOnFailure: true },
    );
  });
});
