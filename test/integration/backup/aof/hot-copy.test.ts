import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AofSource } from '../../../../src/backup/aof/aof-source.ts';
import { checkAofSet } from '../../../../src/backup/aof/check-set.ts';
import { copyAofSet } from '../../../../src/backup/aof/copy-set.ts';
import type { RedisConnection } from '../../../../src/redis/connection/connect.ts';
import { systemClock } from '../../../../src/lib/time/system-clock.ts';
import { aofFolder, aofNames, startAofServer } from '../../../support/data/aof.ts';
import { everything } from '../../../support/house/tier.ts';
import { edgeBuilds, type TestServer } from '../../../support/servers/redis-server.ts';

const copies = everything ? 40 : 15;
const { signal } = new AbortController();

function sourceOf(server: TestServer, isSingle: boolean): AofSource {
  return isSingle
    ? { layout: 'single', path: join(server.dir, 'appendonly.aof') }
    : { layout: 'multi-part', path: join(aofFolder(server), 'appendonly.aof.manifest') };
}

/** Two counters that only ever rise together, and rewrites without a pause, until `stop`. */
function keepBusy(connection: RedisConnection): { acknowledged(): number; stop(): Promise<void> } {
  let acknowledged = 0;
  const stopping = new AbortController();
  const work = (async () => {
    while (!stopping.signal.aborted) {
      const commands = Array.from({ length: 50 }, () => [
        ['MULTI'],
        ['INCR', 'a'],
        ['INCR', 'b'],
        ['EXEC'],
      ]).flat();
      await connection.pipeline([...commands, ['BGREWRITEAOF']]);
      acknowledged += 50;
    }
  })();
  return {
    acknowledged: () => acknowledged,
    async stop() {
      stopping.abort();
      await work;
    },
  };
}

test.for(edgeBuilds().map((build) => [build.name, build] as const))(
  `%s: ${copies} copies under looping rewrites and transactions all load, and lack nothing that was acknowledged`,
  { timeout: 240_000 },
  async ([, build]) => {
    const isSingle = Number.parseInt(build.version, 10) < 7;
    const server = await startAofServer(build);
    const loader = await startAofServer(build);
    await server.call('DEBUG', 'POPULATE', 2000);
    const busy = keepBusy(server.connection);
    const bases = new Set<string>();
    for (let copy = 0; copy < copies; copy++) {
      const before = busy.acknowledged();
      await using checked = await checkAofSet(sourceOf(server, isSingle), {
        clock: systemClock,
        signal,
        live: true,
        loadTruncated: true,
        known: [],
        onProgress() {},
      });
      // Nothing is wrong with it at any moment.
      expect(checked?.problems).toEqual([]);
      const { set, scanned } = checked!;
      bases.add(JSON.stringify(set!.files[0]?.identity));
      await loader.kill('SIGKILL');
      for (const name of aofNames(loader)) rmSync(join(loader.dir, name), { recursive: true, force: true });
      const folder = isSingle ? loader.dir : aofFolder(loader);
      mkdirSync(folder, { recursive: true });
      const parts = scanned.map(({ file, scan }) => ({ file, bytes: scan.sound }));
      await copyAofSet(set!, parts, folder, signal);
      await loader.restart();
      const [a, b] = [Number(await loader.call('GET', 'a')), Number(await loader.call('GET', 'b'))];
      expect(a).toBe(b);
      expect(a).toBeGreaterThanOrEqual(before);
    }
    await busy.stop();
    // It was no quiet time.
    expect(bases.size).toBeGreaterThan(3);
  },
);
