import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runAgent, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { s3Repository, startFaultyS3 } from '../../support/stores/faulty-s3.ts';
import { startServer } from '../../support/servers/redis-server.ts';

interface Line {
  what: string;
  verdict: string;
  next: string | null;
}

async function check(config: TestConfig): Promise<{ code: number; failed: string[] }> {
  const { code, json } = await runAgent(['check', '--json'], { config });
  const lines: Line[] = json;
  for (const line of lines) expect(line.next === null).toBe(line.verdict === 'ok');
  return { code, failed: lines.filter(({ verdict }) => verdict === 'failed').map(({ what }) => what) };
}

test('everything that a backup needs, and what of it is missing', async () => {
  const server = await startServer();
  const config = writeConfig({ server });
  expect(await check(config)).toEqual({ code: 0, failed: [] });
  // It leaves nothing in the repository and takes no backup.
  expect(readdirSync(config.repository)).toEqual([]);

  writeFileSync(join(config.repository, 'main'), 'in the way');
  expect(await check(config)).toEqual({ code: 3, failed: ['repository'] });
  rmSync(config.repository, { recursive: true });
  rmSync(config.state, { recursive: true });
  writeFileSync(config.state, '');
  expect(await check(config)).toEqual({ code: 3, failed: ['state'] });
  rmSync(config.state);
  mkdirSync(config.state);
  await server.kill('SIGKILL');
  expect(await check(config)).toEqual({ code: 3, failed: ['server', 'prefix'] });
});

test('each right that is missing is named', async () => {
  const server = await startServer({ config: { requirepass: 'check-password-61f0' } });
  await server.call(
    'ACL',
    'SETUSER',
    'agent',
    'on',
    '>check-password-61f0',
    '+info',
    '+config|get',
    '+time',
    '+ping',
  );
  const config = writeConfig({ server, username: 'agent', password: 'check-password-61f0' });
  const { code, stdout } = await runAgent(['check'], { config });
  expect(code).toBe(3);
  expect(stdout).toMatch(/right to save\s+failed\s+.*ACL SETUSER agent \+bgsave/);
});

test('an identity that is missing, no identity, or another one than the backups are for', async () => {
  const { generateIdentity, identityToRecipient } = await import('age-encryption');
  const [identity, other] = [await generateIdentity(), await generateIdentity()];
  const recipients = [await identityToRecipient(identity)];
  const server = await startServer();
  const config = writeConfig({ server, encryption: { recipients, identity } });
  expect(await check(config)).toEqual({ code: 0, failed: [] });
  for (const wrong of [other, 'not-an-identity']) {
    config.rewrite({ server, encryption: { recipients, identity: wrong } });
    expect(await check(config)).toEqual({ code: 3, failed: ['encryption'] });
  }
  rmSync(join(config.folder, 'secrets/identity'));
  expect(await check(config)).toEqual({ code: 3, failed: ['encryption'] });
});

test('a store that takes and does not give back: nothing is left there', async () => {
  const { store, faults } = await startFaultyS3();
  const config = writeConfig({});
  const server = await startServer();
  config.rewrite({ server, ...s3Repository(config, store, faults.endpoint) });
  faults.plan('GetObject', { kind: 'answer', status: 403, code: 'AccessDenied' });
  expect(await check(config)).toEqual({ code: 3, failed: ['repository'] });
  faults.reset();
  const { json } = await runAgent(['backups', 'list', '--json'], { config });
  expect(json).toMatchObject({ backups: [], foreign: [] });
  expect(await check(config)).toEqual({ code: 0, failed: [] });
});
