import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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
