// Changes of a server by the units of a package: who asks is no root, and three others work for him.
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { userName } from '../../../src/lib/files/file-owner.ts';
import { canBeNobody, spawnAgent, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { listenAsUnit, type SocketUnit } from '../../support/agent/socket-unit.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { serverUser } from '../../support/servers/server-user.ts';

/** The daemon's user: somebody else than who asks, and than who runs the server. */
const daemon = 65_533;
const asker = 65_534;
const password = 'the admin has a long password';

interface Scene {
  server: ManagedServer;
  config: TestConfig;
  apply: SocketUnit;
  hands: SocketUnit;
  ask(
    this: void,
    ...words: string[]
  ): Promise<{ code: number | null; json: Record<string, never>; stderr: string }>;
}

async function setScene(): Promise<Scene> {
  const server = await manageServer();
  await server.call('ACL', 'SETUSER', 'admin', 'on', `>${password}`, '~*', '&*', '+@all');
  await server.call(
    'ACL',
    'SETUSER',
    'agent',
    'on',
    '>agent',
    '~*',
    '&*',
    '+@all',
    '-config|set',
    '-acl|setuser',
  );
  const config = writeConfig({
    instances: [
      { ...server.instance, role: 'queue', username: 'agent', password: { env: 'AGENT_PASSWORD' } },
    ],
    settings: { harden: { admin: { username: 'admin', password: { credential: 'redis-admin' } } } },
  });
  const sockets = join(config.folder, 'sockets');
  const credentials = join(config.folder, 'credentials');
  for (const folder of [sockets, credentials, config.state]) mkdirSync(folder);
  writeFileSync(join(credentials, 'redis-admin'), password, { mode: 0o600 });
  execFileSync('chown', ['-R', `${daemon}:${daemon}`, config.folder]);
  chownSync(config.path, 0, daemon);
  chmodSync(config.path, 0o640);
  chmodSync(config.state, 0o700);
  chownSync(sockets, 0, 0);
  for (const folder of [dirname(config.folder), config.folder]) chmodSync(folder, 0o711);
  // Nobody but the server's own user gets to its configuration.
  chmodSync(server.configFile, 0o600);
  const env = { ...process.env, REDIS_AGENT_SOCKETS: sockets };
  const own = { ...env, REDIS_AGENT_CONFIG: config.path, AGENT_PASSWORD: 'agent' };
  const { uid, gid } = serverUser ?? { uid: 0, gid: 0 };
  const root = { uid: 0, gid: 0, env: own, mode: 0o600, owner: daemon };
  await listenAsUnit(join(sockets, 'switch.sock'), 'serve-switch', root);
  await listenAsUnit(join(sockets, 'etc.sock'), 'serve-etc', root);
  return {
    server,
    config,
    apply: await listenAsUnit(join(sockets, 'apply.sock'), 'serve-apply', {
      uid: daemon,
      gid: daemon,
      env: { ...own, CREDENTIALS_DIRECTORY: credentials, REDIS_AGENT_PEER: `1-2-${asker}` },
      mode: 0o600,
      owner: asker,
    }),
    hands: await listenAsUnit(join(sockets, `hands-${userName(uid)}.sock`), 'serve-hands', {
      uid,
      gid,
      // That of a run is closed to it; its unit has one of its own.
      env: { ...env, TMPDIR: '/tmp' },
      mode: 0o600,
      owner: daemon,
    }),
    ask: async (...words) =>
      await spawnAgent(['--json', ...words], { nobody: true, env: { ...env, NO_COLOR: '1' } }).ended,
  };
}

const value = async (server: ManagedServer, name: string): Promise<unknown> =>
  [await server.call('CONFIG', 'GET', name)].flat()[1];

describe.runIf(canBeNobody)('changes for somebody who is no root', () => {
  test('plan, apply, history and rollback; the file stays its owner’s, and comes back as it was', async () => {
    const { server, config, apply, hands, ask } = await setScene();
    const before = readFileSync(server.configFile);
    const plan = await ask('harden', 'plan');
    expect({ code: plan.code, ...plan.json }).toMatchObject({
      code: 0,
      obstacles: [],
      changes: expect.any(Array),
    });
    expect(readFileSync(server.configFile)).toEqual(before);

    const done = await ask('harden', 'apply', '--yes');
    expect({ code: done.code, ...done.json }).toMatchObject({ code: 0, outcome: 'done' });
    expect(await value(server, 'timeout')).toBe('300');
    expect(readFileSync(server.configFile, 'utf8')).toMatch(/^timeout 300$/m);
    expect(statSync(server.configFile)).toMatchObject({ uid: serverUser?.uid, gid: serverUser?.gid });
    expect(statSync(server.configFile).mode & 0o777).toBe(0o600);
    expect(apply.said()).toContain('asked for: redis-agent --json harden apply --yes');
    expect(hands.started.length).toBeGreaterThan(0);
    const history = await ask('harden', 'history');
    expect(history.json).toMatchObject([
      { changes: [{ kind: 'apply', outcome: 'done', by: userName(asker) }] },
    ]);

    const back = await ask('harden', 'rollback', '--yes');
    expect({ code: back.code, ...back.json }).toMatchObject({ code: 0, outcome: 'done' });
    expect(readFileSync(server.configFile)).toEqual(before);
    expect(await value(server, 'timeout')).toBe('0');
    // All that is the daemon's is still that: nothing of it was made by another user.
    expect(execFileSync('find', [config.state, '!', '-user', String(daemon)]).toString()).toBe('');
  });

  test('what only root may do, and files of his own, are refused; nothing is read for him', async () => {
    const { server, config, ask } = await setScene();
    const before = readFileSync(server.configFile);
    writeFileSync(join(config.folder, 'secret.yaml'), 'a secret of the daemon\n', { mode: 0o600 });
    chownSync(join(config.folder, 'secret.yaml'), daemon, daemon);
    for (const words of [
      ['harden', 'apply', '--yes', '--policy', join(config.folder, 'secret.yaml')],
      ['harden', 'plan', '--out', join(config.folder, 'plan.json')],
    ]) {
      const { code, json, stderr } = await ask(...words);
      expect([code, JSON.stringify(json)]).toEqual([
        2,
        expect.stringContaining('without root only policies of the package'),
      ]);
      expect(JSON.stringify(json) + stderr).not.toContain('a secret');
    }
    // No other command gets there.
    expect(await ask('rotate-password', 'agent', '--yes')).toMatchObject({ code: 2 });
    expect(readFileSync(server.configFile)).toEqual(before);
    expect(await ask('harden', 'apply')).toMatchObject({
      code: 2,
      json: { error: { message: expect.stringMatching(/no terminal to ask on/) } },
    });
  });
});
