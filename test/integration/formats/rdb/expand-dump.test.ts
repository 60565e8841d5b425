import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { expandDump, Growth } from '../../../../src/formats/rdb/expand-dump.ts';
import { collect, inChunksOf } from '../../../support/data/chunks.ts';
import { addCompressible } from '../../../support/data/compressible-data.ts';
import { fillServer } from '../../../support/data/data-set.ts';
import { describeData } from '../../../support/data/describe-data.ts';
import { serverBuilds, startServer } from '../../../support/servers/redis-server.ts';

/** Strings of a dump that would be expanded, and by how many bytes it would grow. */
function growthOf(dump: Uint8Array): Pick<Growth, 'strings' | 'bytes'> {
  const growth = new Growth();
  growth.update(dump);
  return growth;
}

test.each(serverBuilds())('$name checks and loads its dump expanded as the same data', async (build) => {
  const server = await startServer({ build });
  await fillServer(server);
  await addCompressible(server);
  const data = await describeData(server);
  await server.call('SAVE');
  const dump = readFileSync(server.dumpPath);

  const expanded = await collect(expandDump(inChunksOf(dump, 300_007)));
  const { strings, bytes } = growthOf(dump);
  expect(strings).toBeGreaterThan(1400);
  expect(expanded.length).toBe(dump.length + bytes);
  expect(growthOf(expanded).strings).toBe(0);

  writeFileSync(server.dumpPath, expanded);
  const { status, stdout } = spawnSync(build.checkRdb, [server.dumpPath], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('Checksum OK') });
  await server.kill('SIGKILL');
  await server.restart();
  expect(await describeData(server)).toEqual(data);
});
