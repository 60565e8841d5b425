import { generateIdentity, identityToRecipient } from 'age-encryption';
import { beforeEach, expect, test } from 'vitest';
import {
  runAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';

let server: ManagedServer;
let config: TestConfig;
/** Encrypted, and a later one that is not. */
let sealed: string;
let clear: string;

const run = async (...args: string[]): Promise<AgentResult> => await runAgent(args, { config });

beforeEach(async () => {
  server = await manageServer();
  await server.call('SET', 'key', 'as backed up');
  const identity = await generateIdentity();
  const encryption = { recipients: [await identityToRecipient(identity)], identity };
  const instances = [server.instance];
  config = writeConfig({ instances, encryption });
  sealed = await takeBackup(config, '--no-verify');
  config.rewrite({ instances });
  clear = await takeBackup(config, '--no-verify');
  config.rewrite({ instances, encryption });
  await server.call('SET', 'key', 'as it is now');
});

test.each([
  ['live', ['--method', 'live', '--yes']],
  ['by files', ['--method', 'files', '--yes']],
  ['into a folder', ['--to']],
  ['key by key', ['--replace', '--yes', '--keys', '*', '--into']],
])('where backups are encrypted, one that is not is refused: %s', async (_name, how) => {
  const where = { '--to': [`${config.folder}/to`], '--into': ['main'] }[how.at(-1) ?? ''] ?? [];
  const refused = await run('restore', clear, ...how, ...where);
  expect(refused).toMatchObject({ code: 7, stderr: expect.stringContaining('is stored in the clear') });
  expect(refused.stderr).toContain('--accept-unencrypted');
  expect(await server.call('GET', 'key')).toBe('as it is now');

  expect(await run('restore', clear, ...how, ...where, '--accept-unencrypted')).toMatchObject({ code: 0 });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe(how.includes('--to') ? 'as it is now' : 'as backed up');
});

test('it is said in plan, list, check, verify and status; encrypted ones go as before', async () => {
  const plan = await run('restore', '--dry-run');
  expect(plan.stdout.replaceAll(/\s+/g, ' ')).toContain('insist with --accept-unencrypted');
  const list = await run('backups', 'list');
  expect(list.stdout.split('\n').filter((line) => line.includes('not encrypted'))).toEqual([
    expect.stringContaining(clear),
  ]);
  const { json } = await run('backups', 'list', '--json');
  expect(json.backups).toMatchObject([
    { id: clear, encrypted: false, downgraded: true },
    { id: sealed, encrypted: true, downgraded: false },
  ]);
  const verified = await run('backups', 'verify', clear, '--json');
  expect(verified.json.verdicts).toMatchObject([
    { verdict: 'ok', summary: expect.stringContaining('NOT ENCRYPTED') },
  ]);
  const verdict = await run('backups', 'verify', sealed, '--json');
  expect(verdict.json.verdicts[0].summary).not.toContain('ENCRYPTED');
  const { stdout } = await run('check');
  expect(stdout).toContain('1 backup is not encrypted although encryption is configured');
  const status = await run('status');
  expect(status.stdout).toContain('1 of them NOT ENCRYPTED');

  expect(await run('restore', sealed, '--yes')).toMatchObject({ code: 0 });
  expect(await server.call('GET', 'key')).toBe('as backed up');
});

test('without encryption nothing is said of it', async () => {
  config.rewrite({ instances: [server.instance] });
  expect((await run('backups', 'list')).stdout).not.toContain('not encrypted');
  expect(await run('restore', clear, '--yes')).toMatchObject({ code: 0 });
});
