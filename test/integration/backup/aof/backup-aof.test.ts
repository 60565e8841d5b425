import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { rewriteAof, startAofServer } from '../../../support/data/aof.ts';
import { runAgent } from '../../../support/agent/cli.ts';
import { addOverdue, fillServer } from '../../../support/data/data-set.ts';
import { describeData } from '../../../support/data/describe-data.ts';
import {
  expectOk,
  inBucket,
  inFolder,
  makeAgeKey,
  type AgeKey,
} from '../../../support/restore/prove-path.ts';
import { serverBuilds, startServer, type ServerBuild } from '../../../support/servers/redis-server.ts';
import { startFauxqs, type S3TestServer } from '../../../support/stores/s3-servers.ts';
import { decodeWithTools, manifestOf, proofsOf } from '../../../support/stores/stored-backup.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const keys = makeTempFolder();
let ageKey: AgeKey;
let fauxqs: S3TestServer;

beforeAll(async () => {
  ageKey = makeAgeKey(keys);
  fauxqs = await startFauxqs();
});
afterAll(async () => {
  await fauxqs.stop();
  removeTempFolder(keys);
});

/** A fresh server that starts with what an archive holds, unpacked by hand. */
async function serverWith(build: ServerBuild, tar: Buffer): ReturnType<typeof startServer> {
  const dir = makeTempFolder();
  onTestFinished(() => removeTempFolder(dir));
  execFileSync('tar', ['-x', '-C', dir], { input: tar });
  return await startServer({ build, config: { dir, appendonly: 'yes' } });
}

// Each by turns, so that every form is in a bucket and in a folder where there are eight servers.
const forms = ['aof.tar.zst', 'aof.tar.zst.age', 'aof.tar', 'aof.tar.age'] as const;
const rows = serverBuilds().map((build, index) => ({
  build,
  bucket: index % 2 === 1,
  name: forms[(index + (index >> 2)) % 4] ?? 'aof.tar',
}));

test.each(rows)(
  '$build.name, $name, in a bucket: $bucket: taken, loaded, stored, and unpacked by hand',
  async ({ build, bucket, name }) => {
    const encrypted = name.endsWith('.age');
    const server = await startAofServer(build);
    await fillServer(server);
    await rewriteAof(server);
    await server.call('SET', 'after the rewrite', 'x');
    const data = await describeData(server);
    await addOverdue(server);
    const options = {
      server,
      uncompressed: !name.includes('.zst'),
      ...(encrypted ? { encryption: ageKey.encryption } : {}),
    };
    const place = bucket ? inBucket(fauxqs, options) : inFolder(options);

    const taken = await runAgent(['--json', 'backup', '--kind', 'aof'], { config: place.config });
    expectOk(taken);
    const { backup, verification } = taken.json;
    expect(backup).toMatchObject({ kind: 'aof', keyspace: { exact: true }, content: { unread: null } });
    expect(verification).toMatchObject({ verdict: 'ok', level: 'loaded' });
    expect(verification.summary).toMatch(/keys as expected$/);
    const list = await runAgent(['--json', 'backups', 'list'], { config: place.config });
    expect(list.json.backups).toMatchObject([{ id: backup.id, kind: 'aof', state: 'complete', encrypted }]);

    const stored = await place.read(backup.id);
    expect(manifestOf(stored)).toEqual(backup);
    expect(proofsOf(stored)).toMatchObject([{ level: 'loaded', ok: true }]);
    const tar = decodeWithTools(name, stored.get(name)!, encrypted ? ageKey.file : undefined);
    expect(tar.length).toBe(backup.artefacts[0].plain.bytes);
    const byHand = await serverWith(build, tar);
    // Keys whose time was over are in it, and go soon.
    await expect.poll(() => describeData(byHand)).toEqual(data);
  },
);
