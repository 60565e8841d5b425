import { afterAll, beforeAll, test } from 'vitest';
import { makeAgeKey, type AgeKey } from '../restore/prove-path.ts';
import { findBuild, type ServerBuild } from '../servers/redis-server.ts';
import { startFauxqs, type S3TestServer } from '../stores/s3-servers.ts';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';
import { coverPairs, nameCell, restoreMatrix, type Cell } from './cells.ts';
import { proveCell } from './prove-cell.ts';

/** With `all` in it every cell is tested; else those that cover every pair. */
const scope = process.env['REDIS_AGENT_MATRIX'];

/** Registers the tests of every `of`th cell, from the one with the number `part` on: two files run beside each other. */
export function testCells(part: number, of: number): void {
  const { cells } = restoreMatrix();
  const chosen = (scope === 'all' ? cells : coverPairs(cells)).filter((_, index) => index % of === part);
  let keys: string;
  let ageKey: AgeKey;
  let s3: S3TestServer;

  beforeAll(async () => {
    keys = makeTempFolder();
    ageKey = makeAgeKey(keys);
    s3 = await startFauxqs();
  });
  afterAll(async () => {
    await s3.stop();
    removeTempFolder(keys);
  });

  for (const cell of chosen) {
    const build = buildOf(cell);
    test(`on ${build?.name ?? cell.server}: ${nameCell(cell)}`, async (context) => {
      if (build === undefined)
        return context.skip(
          true,
          `${cell.server} is not here: scripts/fetch-servers fetches it, or says why not`,
        );
      await proveCell(cell, { build, s3, ageKey });
    });
  }
}

function buildOf({ server }: Cell): ServerBuild | undefined {
  const [engine, version = ''] = server.split('-');
  return findBuild(engine === 'valkey' ? 'valkey' : 'redis', version);
}
