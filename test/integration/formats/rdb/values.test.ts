import { describe, expect, test } from 'vitest';
import { connectBinary } from '../../../support/servers/binary-client.ts';
import { boundaryKeys } from '../../../support/data/boundary-keys.ts';
import { checkValue, decodeValue, splitDump } from '../../../support/data/decoded-value.ts';
import { inOrder, readByCommands } from '../../../support/data/read-value.ts';
import { everything } from '../../../support/house/tier.ts';
import { serverBuilds, startServer, type ServerBuild } from '../../../support/servers/redis-server.ts';

/** The value types that a server of that version writes (value-types.ts). */
function writtenBy({ engine, version }: ServerBuild): number[] {
  const release = Number.parseFloat(version);
  const packed = release >= 7 ? [16, 17, 18] : [12, 13, 14];
  const streams = [engine === 'valkey' || release >= 7.2 ? 21 : release >= 7 ? 19 : 15];
  const sets = engine === 'valkey' || release >= 7.2 ? [20] : [];
  const expiring = engine === 'valkey' ? (release >= 9 ? [22] : []) : release >= 7.4 ? [24, 25] : [];
  return [0, 2, 4, 5, 11, ...packed, ...streams, ...sets, ...expiring].toSorted((a, b) => a - b);
}

/** In a usual run those that write what none before them does. */
const builds = serverBuilds().filter((build, at, all) => {
  const known = new Set(all.slice(0, at).flatMap(writtenBy));
  return everything || writtenBy(build).some((type) => !known.has(type));
});

describe.for(builds)('$name', (build) => {
  test('what a server dumps is decoded to what it reads itself', async () => {
    const server = await startServer({ build });
    using client = connectBinary(server);
    for (const [command, ...args] of boundaryKeys(build)) await client.call(command, ...args);
    const seen = new Set<number>();
    const keys = await client.call('KEYS', '*');
    for (const key of Array.isArray(keys) ? keys.map(String) : []) {
      const { type, raw } = splitDump(await client.dump(key), build.engine);
      seen.add(type.code);
      const kind = String(await client.call('TYPE', key));
      const read = inOrder(await readByCommands(client, build, key), kind);
      expect(inOrder(decodeValue(type, raw), kind), `${key} (type ${type.code})`).toEqual(read);
      checkValue(type, raw);
    }
    expect([...seen].toSorted((a, b) => a - b)).toEqual(writtenBy(build));
  });
});
