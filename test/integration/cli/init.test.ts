import { describe, expect, test } from 'vitest';
import { runAgent } from '../../support/agent/cli.ts';
import { listUsers, Place, userNames } from '../../support/agent/init-place.ts';
import { startServer } from '../../support/servers/redis-server.ts';

describe('what it says', () => {
  test('a dry run changes nothing and shows the configuration', async () => {
    const server = await startServer();
    const place = new Place();
    const { code, stdout } = await place.init(server, '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toContain('would be created');
    expect(stdout).toContain(`    url: ${server.url}\n`);
    expect(stdout).not.toMatch(/[0-9a-f]{64}/);
    expect(await listUsers(server)).toHaveLength(1);
    expect(place.files()).toEqual([]);
  });

  test('--no-acl says how, even where it is not let in', async () => {
    const server = await startServer({ config: { requirepass: 'admins-password' } });
    const place = new Place();
    const { code, stdout } = await place.init(server, '--no-acl');
    expect(code).toBe(0);
    const command = /^ACL SETUSER .*$/m.exec(stdout)?.[0] ?? '';
    await server.call('ACL', ...command.split(' ').slice(1));
    await place.asAgent(server);
    expect(stdout).toContain(`main: a server of unknown version, ${server.url}\n`);
  });

  test('who may look but not create is told what to do, and where to keep it', async () => {
    const server = await startServer();
    const rules = ['on', '>some-password', '-@all', '+ping', '+info', '+acl|list', '+config|get'];
    await server.call('ACL', 'SETUSER', 'looker', ...rules);
    const place = new Place();
    const file = place.secret('looker', 'some-password');
    const { code, json } = await place.init(
      server,
      '--json',
      '--username',
      'looker',
      '--password-file',
      file,
    );
    expect(code).toBe(0);
    expect(json.instances[0].user).toMatchObject({
      outcome: 'by-hand',
      why: 'this user may not run ACL SETUSER',
      persistence: { saved: false, file: server.configFile },
    });
    expect(await userNames(server)).toEqual(['default', 'looker']);
  });

  test('fits 80 columns, but for the lines to copy', async () => {
    const server = await startServer();
    const place = new Place();
    const { stdout } = await place.init(server);
    const long = stdout.split('\n').filter((line) => line.length > 80 && !line.includes(place.folder));
    expect(long).toHaveLength(1);
    expect(long[0]).toMatch(/^user redis-agent on #[0-9a-f]{64} /);
    expect(stdout).toContain('warning: main obeys everybody');
    expect(stdout).toContain(`redis-agent --config ${place.config} check`);
  });

  test.each([
    [['--user', 'default'], '--user: "default" cannot be'],
    [['--user', 'a b'], '--user: "a b" cannot be'],
    [['--username', 'admin'], '--username is given without a password'],
    [['--url', 'redis://user:secret-word@host'], '--url: a user or password does not belong in the URL'],
    [['--tls-cert', 'x'], 'tls-key'],
  ])('%j is refused', async (args, text) => {
    const place = new Place();
    const { code, stderr } = await place.init({ url: 'redis://127.0.0.1:1' }, ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
    expect(stderr).not.toContain('secret-word');
    expect(place.files()).toEqual([]);
  });

  test('of several values the last counts', async () => {
    const server = await startServer();
    const place = new Place();
    const { code } = await place.init(
      server,
      '--user',
      'first',
      '--user',
      'second',
      '--config',
      place.config,
    );
    expect(code).toBe(0);
    expect(await userNames(server)).toContain('second');
  });

  test('the password of the admin can come from the environment', async () => {
    const server = await startServer({ config: { requirepass: 'admins-password' } });
    const place = new Place();
    const args = ['--config', place.config, 'init', '--state', place.state, '--url', server.url];
    const { code } = await runAgent(args, { env: { REDIS_AGENT_ADMIN_PASSWORD: 'admins-password' } });
    expect(code).toBe(0);
  });
});
