import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hardenerOf } from '../../support/harden/hardened.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { giveToServer, serverUser } from '../../support/servers/server-user.ts';

const isRoot = process.getuid?.() === 0;
const group = serverUser?.gid ?? 0;

/** As RHEL has it: the configuration is root's, in a folder of root's, and the server's group may read it. */
async function ofRoot(more: string): Promise<{ server: ManagedServer; conf: string; etc: string }> {
  const server = await manageServer({ down: true });
  const etc = makeTempFolder();
  onTestFinished(() => removeTempFolder(etc));
  const conf = join(etc, 'redis.conf');
  writeFileSync(conf, readFileSync(server.configFile, 'utf8') + more, { mode: 0o640 });
  chownSync(conf, 0, group);
  chmodSync(etc, 0o755);
  rmSync(server.configFile);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- how manageServer starts it
  (server.instance['service'] as { start: string[] }).start[1] = conf;
  await server.start();
  return { server, conf, etc };
}

const value = async (server: ManagedServer, name: string): Promise<unknown> =>
  [await server.call('CONFIG', 'GET', name)].flat()[1];

test.skipIf(!isRoot)(
  'a configuration that is root’s, in root’s folder: it stays so, and comes back',
  async () => {
    const { server, conf, etc } = await ofRoot('# by hand\ntimeout 0\nuser worker on nopass ~* +@all\n');
    const before = { bytes: readFileSync(conf), stats: statSync(conf) };
    const hardener = await hardenerOf(server, {}, { harden: { acl: { worker: { profile: 'bullmq' } } } });
    const report = await hardener.apply();
    expect(report.outcome).toBe('done');
    const { mode, uid, gid } = statSync(conf);
    expect([mode & 0o777, uid, gid]).toEqual([0o640, 0, group]);
    expect(readFileSync(conf, 'utf8')).toContain('timeout 300\n');
    // What was kept has passwords in it: only root gets there.
    const kept = statSync(join(etc, '.redis-agent-harden'));
    expect([kept.mode & 0o777, kept.uid]).toEqual([0o700, 0]);
    await server.restart();
    expect(await value(server, 'timeout')).toBe('300');
    await hardener.rollback();
    expect(readFileSync(conf)).toEqual(before.bytes);
    expect(await value(server, 'timeout')).toBe('0');
  },
);

test.skipIf(!isRoot)(
  'its aclfile in a folder of the server’s own is written with the server’s rights',
  async () => {
    const own = makeTempFolder();
    onTestFinished(() => removeTempFolder(own));
    const aclfile = join(own, 'users.acl');
    writeFileSync(aclfile, 'user default on nopass ~* &* +@all\nuser worker on nopass ~* +@all\n', {
      mode: 0o640,
    });
    giveToServer(own);
    const { server } = await ofRoot(`aclfile ${aclfile}\n`);
    const hardener = await hardenerOf(server, {}, { harden: { acl: { worker: { profile: 'bullmq' } } } });
    await hardener.apply();
    expect(readFileSync(aclfile, 'utf8')).toContain('~bull:*');
    expect(statSync(aclfile)).toMatchObject({ uid: serverUser?.uid, gid: group });
    await hardener.rollback();
    expect(readFileSync(aclfile, 'utf8')).toContain('user worker on nopass ~* +@all\n');
  },
);

test.skipIf(!isRoot)('a link of the server’s into root’s folder: root writes nothing there', async () => {
  const server = await manageServer({ down: true });
  const roots = makeTempFolder();
  onTestFinished(() => removeTempFolder(roots));
  chmodSync(roots, 0o755);
  const target = join(roots, 'precious');
  writeFileSync(target, readFileSync(server.configFile), { mode: 0o644 });
  rmSync(server.configFile);
  symlinkSync(target, server.configFile);
  await server.start();
  const before = readFileSync(target);
  const hardener = await hardenerOf(server);
  await expect(hardener.apply()).rejects.toMatchObject({ code: 'refused', reason: 'unwritable' });
  expect(readFileSync(target)).toEqual(before);
  expect(readdirSync(roots)).toEqual(['precious']);
  expect(existsSync(join(dirname(server.configFile), '.redis-agent-harden'))).toBe(false);
});

test.skipIf(!isRoot)('root’s configuration in a folder of the server’s keeps its owner', async () => {
  const server = await manageServer({ down: true });
  await server.start();
  chownSync(server.configFile, 0, group);
  chmodSync(server.configFile, 0o640);
  appendFileSync(server.configFile, '# root has been here\n');
  const hardener = await hardenerOf(server);
  // It keeps its owner: by the descriptor, after the server's own user has made the file.
  expect((await hardener.apply()).outcome).toBe('done');
  expect(statSync(server.configFile)).toMatchObject({ uid: 0, gid: group });
});
