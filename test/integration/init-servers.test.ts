import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { initialise } from '../../src/app/init/init.ts';
import { loadSettings } from '../../src/config/load.ts';
import { agentUser, failureOf, listUsers, Place } from '../support/agent/init-place.ts';
import { narrowProc } from '../support/servers/narrow-proc.ts';
import { startServer } from '../support/servers/redis-server.ts';

describe('several servers', () => {
  test('get names by their ports, and the same one by two addresses counts once', async () => {
    const [one, two] = [await startServer(), await startServer()];
    const place = new Place();
    const { code, stdout } = await place.init(one, '--url', two.url, '--url', one.socketUrl);
    expect(code).toBe(0);
    expect(place.files(place.secrets)).toEqual([`redis-${one.port}`, `redis-${two.port}`].toSorted());
    const { settings } = await loadSettings(place.config, { env: {} });
    expect(settings.instances).toEqual(
      [one, two].map(({ port, url }) => ({
        name: `redis-${port}`,
        url,
        username: agentUser,
        password: { file: join(place.secrets, `redis-${port}`) },
      })),
    );
    expect(place.password(`redis-${one.port}`)).not.toBe(place.password(`redis-${two.port}`));
    await place.asAgent(two, `redis-${two.port}`);
    expect(stdout).toContain(`Add this line to\n${one.configFile}`);
    expect(stdout).toContain(two.configFile);
  });

  test('one that does not let us in: nothing is done to the others, and each problem is said', async () => {
    const open = await startServer();
    const closed = await startServer({ config: { requirepass: 'closed-password' } });
    const place = new Place();
    const { code, stderr } = await place.init(open, '--url', closed.url, '--url', 'unix:///no/such.sock');
    expect(code).toBe(4);
    const lines = stderr.trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/no password was given; say who may create users: /);
    expect(lines[1]).toMatch(/^cannot connect to unix:\/\/\/no\/such.sock: there is no such socket; /);
    expect(lines[2]).toBe('Nothing was changed. To leave servers out, name the others with --url.');
    expect(await listUsers(open)).toHaveLength(1);
    expect(place.files()).toEqual([]);
  });

  test('one password for all, where one server asks for none', async () => {
    const open = await startServer();
    const closed = await startServer({ config: { requirepass: 'closed-password' } });
    await closed.call('ACL', 'SETUSER', 'admin', 'on', '>admins-password', '~*', '+@all');
    const place = new Place();
    const file = place.secret('admin', 'admins-password');
    const args = ['--url', closed.url, '--username', 'admin', '--password-file', file, '--json'];
    const { json } = await place.init(open, ...args);
    expect(json.instances.map(({ open: everybody }: { open: boolean }) => everybody)).toEqual([true, false]);
    await place.asAgent(closed, `redis-${closed.port}`);
  });
});

describe('ways to a server', () => {
  test('a unix socket alone, found by its process', async () => {
    const server = await startServer();
    // Its title still names the port.
    await server.call('CONFIG', 'SET', 'port', '0');
    const place = new Place();
    const { instances } = await initialise(place.options({ proc: narrowProc([server.pid]) }));
    expect(instances).toMatchObject([{ name: 'main', url: server.socketUrl, user: { outcome: 'created' } }]);
    expect(await place.run('check')).toMatchObject({ code: 0 });
  });

  test('TLS: asks for the authority, then keeps it in the configuration', async () => {
    const server = await startServer({ tls: true });
    const { tls } = server;
    if (tls === undefined) throw new Error('no TLS');
    const place = new Place();
    const untrusted = await place.init(tls);
    expect(untrusted).toMatchObject({ code: 4 });
    expect(untrusted.stderr).toContain('--tls-ca');
    expect(await place.init(tls, '--tls-ca', tls.ca)).toMatchObject({ code: 0 });
    const { settings } = await loadSettings(place.config, { env: {} });
    expect(settings.instances).toMatchObject([{ url: tls.url, tls: { ca: tls.ca } }]);
    expect(await place.run('check')).toMatchObject({ code: 0 });
  });

  test('TLS alone, found by its process', async () => {
    const server = await startServer({ tls: true });
    const { tls } = server;
    if (tls === undefined) throw new Error('no TLS');
    await server.call('CONFIG', 'SET', 'port', '0');
    const place = new Place();
    const options = place.options({ proc: narrowProc([server.pid]), tls: { ca: tls.ca } });
    const { instances } = await initialise(options);
    expect(instances).toMatchObject([{ url: tls.url, user: { outcome: 'created' } }]);
  });

  test('none: says how to name one', async () => {
    const place = new Place();
    expect(await failureOf(initialise(place.options({})))).toMatchObject({
      code: 'failed',
      reason: 'nothing-found',
      message: 'no Redis or Valkey server was found on this host',
      hint: expect.stringContaining('--url redis://HOST:PORT'),
    });
    expect(place.files()).toEqual([]);
  });
});
