import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  knownSecrets,
  runAgent,
  spawnAgent,
  takeBackup,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import type { FaultServer } from '../../support/stores/fault-server.ts';
import { startFaultyS3 } from '../../support/stores/faulty-s3.ts';
import { startServer } from '../../support/servers/redis-server.ts';

const password = 'pass/word+with"odd\\chars-5c2e';

/** A server with a password, an encrypted S3 repository with keys: as many secrets as there can be. */
async function everything(): Promise<{
  config: TestConfig;
  faults: FaultServer;
}> {
  const { generateIdentity, identityToRecipient } = await import('age-encryption');
  const identity = await generateIdentity();
  const server = await startServer({ config: { requirepass: JSON.stringify(password) }, auth: { password } });
  await server.call('SET', 'key', 'value');
  const { store, faults } = await startFaultyS3();
  const config = writeConfig({ server, password });
  config.rewrite({
    server,
    password,
    encryption: { recipients: [await identityToRecipient(identity)], identity },
    repository: {
      type: 's3',
      bucket: store.bucket,
      endpoint: faults.endpoint,
      credentials: {
        access_key_id: config.secret('s3-id', 'AKIA-SECRET-ID-01'),
        secret_access_key: config.secret('s3-key', 'wJalrXUtnFEMI/K7MDENG'),
        session_token: config.secret('s3-token', 'session-token-8a7f'),
      },
    },
  });
  expect(knownSecrets).toContain(identity);
  return { config, faults };
}

// The helper looks for every known secret in everything that is written.
test('no secret in any output, however much is said', async () => {
  const { config } = await everything();
  await takeBackup(config);
  for (const args of [
    ['backup'],
    ['check'],
    ['status'],
    ['backups', 'list'],
    ['backups', 'show', 'latest'],
    ['backups', 'verify', '--load'],
    ['config', 'show'],
    ['config', 'check'],
  ])
    for (const more of [['--verbose'], ['--verbose', '--json']]) {
      const agent = spawnAgent([...args, ...more], { config });
      const { code, stderr } = await agent.ended;
      expect({ args, code, stderr }).toMatchObject({ code: 0 });
    }
});

test('nor in errors, the daemon’s log, or what is kept', async () => {
  const { config, faults } = await everything();
  faults.plan('PutObject', { kind: 'answer', status: 403, code: 'SignatureDoesNotMatch' });
  expect(await spawnAgent(['backup', '--verbose'], { config }).ended).toMatchObject({ code: 5 });
  expect(await runAgent(['backup', '--json'], { config })).toMatchObject({ code: 5 });
  const daemon = spawnAgent(['run', '--verbose'], { config });
  while (!daemon.stdout.includes('SignatureDoesNotMatch')) await delay(10);
  daemon.kill('SIGTERM');
  expect(await daemon.ended).toMatchObject({ code: 0 });
  for (const entry of readdirSync(config.state, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const content = readFileSync(join(entry.parentPath, entry.name), 'latin1');
    for (const secret of knownSecrets) expect(content).not.toContain(secret);
  }
});

test('the helper would see one', async () => {
  const config = writeConfig({});
  config.secret('path', config.folder);
  await expect(runAgent(['config', 'check'], { config })).rejects.toThrow('shows a secret');
  knownSecrets.delete(config.folder);
});
