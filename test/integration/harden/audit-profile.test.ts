import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { edgeBuilds, startServer } from '../../support/servers/redis-server.ts';

const secret = 'a-long-and-random-secret';

test.each(edgeBuilds())(
  '$name: a user is held against a profile, and its command mends it',
  async (build) => {
    const server = await startServer({ build });
    const channels = build.version.startsWith('6.0') ? [] : ['resetchannels'];
    const rules = [
      '~bull:*',
      ...channels,
      '-@all',
      '+@read',
      '+@write',
      '+info',
      '+evalsha',
      '-@dangerous',
      '-@scripting',
    ];
    await server.call('ACL', 'SETUSER', 'worker', 'reset', 'on', `>${secret}`, ...rules);
    const config = writeConfig({ server });
    const ask = ['audit', '--profile', 'bullmq', '--user', 'worker'];
    const { code, json } = await runAgent([...ask, '--json'], { config });
    expect(code).toBe(3);
    const [report] = json.profiles;
    expect(report).toMatchObject({ subject: 'main', user: 'worker', exists: true, fits: false });
    expect(report.missing.commands).toEqual(expect.arrayContaining(['info', 'evalsha', 'multi', 'exec']));
    // Before 7.0 a server forgets how a user was defined, and lists what it came to.
    const remembers = !build.version.startsWith('6.');
    const grants = report.taken_back.map(({ grant, by }: { grant: string; by: string }) => `${grant} ${by}`);
    const meant = remembers ? ['+info -@dangerous', '+evalsha -@scripting'] : [];
    expect(grants).toEqual(expect.arrayContaining(meant));
    const [, , name = '', ...words] = String(report.command).replaceAll("'", '').split(' ');
    await server.call('ACL', 'SETUSER', name, ...words);
    const after = await runAgent(ask, { config });
    expect(after.stdout).toContain('enough for it');
    expect(after.stdout).not.toContain('more than it needs');
    expect(after.code).toBe(0);
    // Its password is the one that it was.
    expect(String(await server.call('ACL', 'LIST'))).toMatch(/worker on (?:sanitize-payload )?#/);
  },
);

test('a user that is not there, a profile that is not there, files, and no right to look', async () => {
  const server = await startServer();
  const config = writeConfig({ server });
  const missing = await runAgent(['audit', '--profile', 'bullmq', '--user', 'nobody'], { config });
  expect(missing).toMatchObject({ code: 3 });
  expect(missing.stdout).toContain('there is no user nobody');
  const misspelt = await runAgent(['audit', '--profile', 'bulmq', '--user', 'x'], { config });
  expect(misspelt).toMatchObject({ code: 2 });
  expect(misspelt.stderr).toContain('did you mean bullmq?');
  const alone = await runAgent(['audit', '--profile', 'bullmq'], { config });
  expect(alone.code).toBe(2);
  const file = join(config.folder, 'redis.conf');
  writeFileSync(file, `user worker on #${'a'.repeat(64)} ~mail:* resetchannels -@all +@all\n`);
  const ofFile = await runAgent([
    'audit',
    '--conf',
    file,
    '--engine',
    'redis-7.0',
    '--profile',
    'bullmq',
    '--user',
    'worker',
    '--key',
    'mail:*',
    '--json',
  ]);
  expect(ofFile.json.profiles[0]).toMatchObject({ fits: true, missing: { keys: [] } });
  await server.call('ACL', 'SETUSER', 'agent', 'on', `>${secret}`, '-@all', '+ping', '+info');
  config.rewrite({ server, username: 'agent', password: secret });
  const blind = await runAgent(['audit', '--profile', 'bullmq', '--user', 'worker'], { config });
  expect(blind.code).toBe(4);
  expect(blind.stderr).toContain('+acl|list');
});
