import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { initialise } from '../../src/app/init/init.ts';
import { loadSettings } from '../../src/config/load.ts';
import { AgentError } from '../../src/domain/errors.ts';
import { Secret } from '../../src/domain/secret.ts';
import { connectRedis } from '../../src/redis/connection/connect.ts';
import { agentUser, failureOf, listUsers, Place } from '../support/agent/init-place.ts';
import { startServer } from '../support/servers/redis-server.ts';

describe('what is there already', () => {
  test('a configuration is never overwritten without --force, and then kept', async () => {
    const server = await startServer();
    const place = new Place();
    await place.init(server);
    const [config, password] = [readFileSync(place.config, 'utf8'), place.password()];
    const again = await place.init(server);
    expect(again).toMatchObject({ code: 7, stdout: '' });
    expect(again.stderr).toMatch(/config\.yaml is there already; .*--force replaces it/);

    const { code, json } = await place.init(
      server,
      '--force',
      '--json',
      '--repository',
      '/srv/elsewhere',
      '--dry-run',
    );
    expect({ code, kept: json.kept }).toEqual({ code: 0, kept: [] });
    const forced = await place.init(server, '--force', '--json', '--repository', join(place.folder, 'other'));
    expect(forced.json).toMatchObject({
      kept: [join(place.secrets, 'main.bak'), `${place.config}.bak`],
      instances: [{ user: { outcome: 'replaced' } }],
    });
    expect(readFileSync(`${place.config}.bak`, 'utf8')).toBe(config);
    expect(readFileSync(join(place.secrets, 'main.bak'), 'utf8').trim()).toBe(password);
    expect(place.password()).not.toBe(password);
    await place.asAgent(server);
    const old = connectRedis({
      name: 'old',
      url: server.url,
      username: agentUser,
      password: new Secret(password),
    });
    expect(await failureOf(old)).toMatchObject({ reason: 'wrongpass' });
  });

  test('neither is a secret', async () => {
    const server = await startServer();
    const place = new Place();
    mkdirSync(place.secrets, { recursive: true });
    symlinkSync('/nowhere', join(place.secrets, 'main'));
    const { code, stderr } = await place.init(server);
    expect(code).toBe(7);
    expect(stderr).toContain(`${join(place.secrets, 'main')} is there already`);
    expect(await listUsers(server)).toHaveLength(1);
    expect(existsSync(place.config)).toBe(false);
  });

  test('nor an ACL user; another name is another user', async () => {
    const server = await startServer();
    await server.call('ACL', 'SETUSER', agentUser, 'on', '>somebodys-password', '+ping');
    const before = await listUsers(server);
    const place = new Place();
    const { code, stderr } = await place.init(server);
    expect(code).toBe(7);
    expect(stderr).toMatch(/has an ACL user redis-agent already; --force .*; --user NAME makes another/);
    expect(await listUsers(server)).toEqual(before);
    expect(place.files()).toEqual([]);
    expect(await place.init(server, '--user', 'agent2')).toMatchObject({ code: 0 });
    expect(await listUsers(server)).toEqual(expect.arrayContaining(before));
    expect((await loadSettings(place.config, { env: {} })).settings.instances[0]?.username).toBe('agent2');
  });
});

/** Nothing can replace a folder: init finds out when it writes the configuration, at the very end. */
function unwritable(): Place {
  const place = new Place();
  mkdirSync(place.config, { recursive: true });
  return place;
}

describe('a failure half way', () => {
  test('takes back the user, the secrets and the folders', async () => {
    const [one, two] = [await startServer(), await startServer()];
    const place = unwritable();
    const { code, stderr } = await place.init(one, '--url', two.url, '--force');
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot write .*config\.yaml: .* \(nothing was left behind\); /);
    expect([await listUsers(one), await listUsers(two)].map((list) => list.length)).toEqual([1, 1]);
    expect(place.files()).toEqual(['etc']);
    expect(place.files(join(place.folder, 'etc/redis-agent'))).toEqual(['config.yaml']);
  });

  test('gives a replaced user its password and rights back', async () => {
    const server = await startServer();
    const rules = ['on', '>somebodys-password', '~a:*', '%R~b:*', '-@all', '+get', '(%R~c +set)'];
    await server.call('ACL', 'SETUSER', agentUser, ...rules);
    const before = await listUsers(server);
    const { code } = await unwritable().init(server, '--force');
    expect(code).toBe(1);
    expect(await listUsers(server)).toEqual(before);
  });

  test('an interrupt before anything was done', async () => {
    const server = await startServer();
    const place = new Place();
    const signal = AbortSignal.abort(new AgentError('interrupted', 'interrupted by SIGINT'));
    const failure = await failureOf(initialise(place.options({ urls: [server.url], signal })));
    expect(failure.code).toBe('interrupted');
    expect(await listUsers(server)).toHaveLength(1);
    expect(place.files()).toEqual([]);
  });
});

describe('an aclfile that ACL SAVE would harm is left to its owner', () => {
  test.each([
    ['unloaded', /^it defines later, which the server has not loaded/],
    ['link', /^it is a symbolic link/],
  ])('%s', async (kind, why) => {
    const place = new Place();
    const [file, real] = [join(place.folder, 'users.acl'), join(place.folder, 'real.acl')];
    writeFileSync(kind === 'link' ? real : file, 'user default on nopass ~* +@all\n');
    if (kind === 'link') symlinkSync(real, file);
    const server = await startServer({ config: { aclfile: file }, asRoot: true });
    if (kind === 'unloaded') appendFileSync(file, 'user later on >x ~* +get\n');
    const before = readFileSync(file, 'utf8');
    const { json } = await place.init(server, '--json');
    expect(json.instances[0].user).toMatchObject({
      outcome: 'created',
      persistence: { saved: false, file, why: expect.stringMatching(why) },
    });
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});

test('files are for their owner alone', async () => {
  const server = await startServer();
  const place = new Place();
  const root = process.geteuid?.() === 0;
  const owner = root ? { uid: 65_534, gid: 65_533 } : undefined;
  await initialise(place.options({ urls: [server.url], owner }));
  const modes = [
    place.config,
    place.secrets,
    join(place.secrets, 'main'),
    place.state,
    join(place.state, 'repository'),
  ];
  expect(modes.map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual([
    '640',
    '700',
    '600',
    '750',
    '750',
  ]);
  if (owner === undefined) return;
  for (const path of modes.slice(1)) expect(statSync(path)).toMatchObject(owner);
  expect(statSync(place.config)).toMatchObject({ uid: 0, gid: owner.gid });
});
