import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { idsIn, takeBackup, writeConfig } from '../../support/agent/cli.ts';
import { startServer } from '../../support/servers/redis-server.ts';

test('a backup keeps a compact report of its keys beside its manifest', async () => {
  const server = await startServer();
  await server.call('DEBUG', 'POPULATE', 500, 'user');
  await server.call('RPUSH', 'queue:mail', 'a', 'b');
  const config = writeConfig({ server });
  await takeBackup(config);
  const [id = ''] = idsIn(config);
  const report: unknown = JSON.parse(readFileSync(join(config.repository, 'main', id, 'keys.json'), 'utf8'));
  expect(report).toMatchObject({ totals: { keys: 501 } });
  expect(JSON.stringify(report)).toContain('queue:mail');
});

test('where backups are encrypted, names of keys are not kept in the clear', async () => {
  const { generateIdentity, identityToRecipient } = await import('age-encryption');
  const recipient = await identityToRecipient(await generateIdentity());
  const server = await startServer();
  await server.call('SET', 'secret-name', 'x');
  const config = writeConfig({ server, encryption: { recipients: [recipient] } });
  await takeBackup(config, '--no-verify');
  const [id = ''] = idsIn(config);
  expect(existsSync(join(config.repository, 'main', id, 'dump.rdb.zst.age'))).toBe(true);
  expect(existsSync(join(config.repository, 'main', id, 'keys.json'))).toBe(false);
});
