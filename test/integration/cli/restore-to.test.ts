import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startTicks } from '../../../src/lib/process/process-mark.ts';
import { runAgent, takeBackup, writeConfig } from '../../support/agent/cli.ts';
import { startServer } from '../../support/servers/redis-server.ts';

test('restore --to DIR gives the dump back, readable by its owner only, and replaces nothing', async () => {
  const server = await startServer();
  await server.call('DEBUG', 'POPULATE', 100);
  const config = writeConfig({ server });
  await takeBackup(config);
  const folder = join(config.folder, 'decoded');
  const args = ['restore', 'latest', '--to', folder, '--json'];
  expect(await runAgent(args, { config })).toMatchObject({ code: 0 });
  const [name = ''] = readdirSync(folder);
  const file = join(folder, name);
  expect(readFileSync(file).equals(readFileSync(server.dumpPath))).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o600);

  expect(await runAgent(args, { config })).not.toMatchObject({ code: 0 });
  expect(readdirSync(folder)).toEqual([name]);
  for (const other of ['--dry-run', '--undo'])
    expect(await runAgent([...args, other], { config })).toMatchObject({ code: 2 });
});

test('a backup that is not whole says where those are that are', async () => {
  const server = await startServer();
  const config = writeConfig({ server });
  const id = await takeBackup(config);
  const place = join(config.repository, 'main', id);
  const args = ['restore', id, '--to', join(config.folder, 'decoded')];
  rmSync(join(place, 'dump.rdb.zst'));
  expect(await runAgent(args, { config })).toMatchObject({
    code: 5,
    stderr: expect.stringMatching(/there is no such object; .*backups list/),
  });
  writeFileSync(join(place, 'manifest.json'), '{');
  expect(await runAgent(args, { config })).toMatchObject({
    code: 6,
    stderr: expect.stringMatching(/^redis-agent: manifest of .* cannot be read: .*; .*backups list/),
  });
});

test('one that fails leaves nothing behind, and what one that was killed has left goes with the next', async () => {
  const server = await startServer();
  const config = writeConfig({ server });
  const id = await takeBackup(config);
  const folder = join(config.folder, 'decoded/for it');
  const place = join(config.repository, 'main', id, 'dump.rdb.zst');
  const stored = readFileSync(place);
  writeFileSync(place, stored.subarray(1));
  const args = ['restore', id, '--to', folder];
  expect(await runAgent(args, { config })).toMatchObject({ code: 6 });
  expect(existsSync(join(config.folder, 'decoded'))).toBe(false);

  writeFileSync(place, stored);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  // No process has that number.
  const left = `.${id}.4194305-1.tmp`;
  const inUse = `.${id}.1-${startTicks(readFileSync('/proc/1/stat', 'utf8'))}.tmp`;
  const theirs = '.profile.4194305-1.tmp';
  for (const name of [left, inUse, theirs]) writeFileSync(join(folder, name), 'half');
  expect(await runAgent(args, { config })).toMatchObject({ code: 0 });
  expect(readdirSync(folder).toSorted()).toEqual([inUse, theirs, `${id}.rdb`].toSorted());
});
