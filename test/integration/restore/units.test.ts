// A restore by the units of a package: who asks is no root and may read nothing, and three others work for him.
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VerbCaller } from '../../../src/lib/verbs/call.ts';
import { encodeFrame } from '../../../src/lib/verbs/frames.ts';
import { switchLimits } from '../../../src/app/switch/protocol.ts';
import { unitLink } from '../../../src/app/units/unit-link.ts';
import { userName } from '../../../src/lib/files/file-owner.ts';
import { listenAsUnit, type SocketUnit } from '../../support/agent/socket-unit.ts';
import {
  canBeNobody,
  spawnAgent,
  takeBackup,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { serverUser } from '../../support/servers/server-user.ts';

/** The daemon's user: somebody else than who asks, and than who runs the server. */
const daemon = 65_533;
const asker = 65_534;

interface Scene {
  server: ManagedServer;
  config: TestConfig;
  /** Of who asks. */
  env: NodeJS.ProcessEnv;
  sockets: string;
  restore: SocketUnit;
  dispatcher: SocketUnit;
  hands: SocketUnit;
}

async function setScene(): Promise<Scene> {
  const server = await manageServer();
  await server.call('SET', 'key', 'as backed up');
  const config = writeConfig({ instances: [server.instance] });
  await takeBackup(config);
  await server.call('SET', 'key', 'as it is now');
  const sockets = join(config.folder, 'sockets');
  mkdirSync(sockets);
  execFileSync('chown', ['-R', `${daemon}:${daemon}`, config.folder]);
  // Root's, as of a package: else the dispatcher believes nothing of it. And closed to who asks.
  chownSync(config.path, 0, daemon);
  chmodSync(config.path, 0o640);
  chmodSync(config.state, 0o700);
  chownSync(sockets, 0, 0);
  const env = { ...process.env, REDIS_AGENT_SOCKETS: sockets };
  const own = { ...env, REDIS_AGENT_CONFIG: config.path };
  const { uid, gid } = serverUser ?? { uid: 0, gid: 0 };
  const part = { uid: daemon, gid: daemon, env: own };
  return {
    server,
    config,
    env,
    sockets,
    restore: await listenAsUnit(join(sockets, 'restore.sock'), 'serve-restore', {
      ...part,
      mode: 0o600,
      owner: asker,
    }),
    dispatcher: await listenAsUnit(join(sockets, 'switch.sock'), 'serve-switch', {
      ...part,
      uid: 0,
      mode: 0o600,
      owner: daemon,
    }),
    hands: await listenAsUnit(join(sockets, `hands-${userName(uid)}.sock`), 'serve-hands', {
      uid,
      gid,
      env,
      mode: 0o600,
      owner: daemon,
    }),
  };
}

describe.runIf(canBeNobody)('restores of somebody who is no root', () => {
  test('live, by who may; what only root may do is told so', async () => {
    const { server, config, env, restore, dispatcher } = await setScene();
    const ask = async (...words: string[]) =>
      await spawnAgent(['--json', ...words], { nobody: true, env: { ...env, NO_COLOR: '1' } }).ended;
    // The way to the socket, and no further.
    for (const folder of [join(config.folder, '..'), config.folder]) chmodSync(folder, 0o711);
    const done = await ask('restore', '--yes', '--method', 'live', '--no-pre-backup');
    expect({ code: done.code, ...done.json.error }).toEqual({ code: 0 });
    expect(done.json).toMatchObject({ outcome: 'restored' });
    expect(await server.call('GET', 'key')).toBe('as backed up');
    expect(restore.said()).toContain('asked for: redis-agent --json restore --yes --method live');
    expect(dispatcher.started.length).toBeGreaterThan(0);

    await server.call('SET', 'key', 'as it is now');
    // This server was started by a command.
    const byFiles = await ask('restore', '--yes', '--method', 'files');
    expect(byFiles).toMatchObject({
      code: 7,
      json: { error: { reason: 'service', hint: expect.stringMatching(/sudo redis-agent restore/) } },
    });
    expect(await server.call('GET', 'key')).toBe('as it is now');

    expect(await ask('restore', '/etc/hostname', '--yes')).toMatchObject({ code: 2 });
    // Nobody else's configuration: of that, who asks works himself, and may not read it.
    expect(await ask('--config', config.path, 'restore', '--yes')).toMatchObject({
      code: 2,
      json: {
        error: {
          message: expect.stringMatching(/permission denied for nobody/),
          hint: expect.stringMatching(/member of the group redis-agent-admin/),
        },
      },
    });
    const waiting = spawnAgent(['restore', '--method', 'live'], { nobody: true, env });
    const refused = await waiting.ended;
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no terminal to ask on'),
    });
  });

  test('what is no request is answered by nothing, and other commands are refused', async () => {
    const { sockets, restore, env } = await setScene();
    const say = async (bytes: Uint8Array[]): Promise<string> => {
      const socket = connect(join(sockets, 'restore.sock'));
      await once(socket, 'connect');
      socket.on('error', () => {});
      for (const each of bytes) socket.write(each);
      socket.end();
      let said = '';
      for await (const chunk of socket) said += String(chunk);
      return said;
    };
    for (const garbage of [
      [Buffer.from('GET / HTTP/1.1\r\n\r\n')],
      [Buffer.alloc(0)],
      encodeFrame({ head: { kind: 'start' }, bytes: undefined }),
      encodeFrame({ head: { kind: 'start', argv: [1, 2] }, bytes: undefined }),
      encodeFrame({ head: null, bytes: undefined }),
    ])
      expect(await say(garbage)).toBe('');
    expect(restore.said()).not.toContain('    at ');
    const start = (...argv: string[]): Uint8Array[] =>
      encodeFrame({
        head: { kind: 'start', argv, env: { PATH: '/nowhere', NODE_OPTIONS: '--bad' }, terminal: {} },
        bytes: undefined,
      });
    for (const argv of [
      ['run'],
      ['restore', '--into', 'redis://127.0.0.1:1'],
      ['--config', '/etc/passwd', 'restore'],
      ['restore', '/etc/shadow'],
    ])
      expect(await say(start(...argv))).toContain('without root only backups of the repository are restored');
    expect(env['REDIS_AGENT_SOCKETS']).toBe(sockets);
  });

  test('the dispatcher hands nothing over, and knows no instance but its own', async () => {
    const { sockets, server, config, env, dispatcher } = await setScene();
    const channel = connect(join(sockets, 'switch.sock'));
    await once(channel, 'connect');
    const caller = new VerbCaller({ input: channel, output: channel }, switchLimits, () => channel.destroy());
    const ask = async (verb: string, ...args: unknown[]) => await caller.call(verb, args, 20_000);
    for (const verb of ['settings', 'openHands', 'reservePort', 'constructor', '__proto__'])
      await expect(ask(verb, 'main')).rejects.toThrow('nobody here knows');
    await expect(ask('look', 'other', null)).rejects.toThrow('no instance "other"');
    await expect(ask('stop', 'main')).rejects.toThrow('not looked at');
    await ask('look', 'main', [['process_id', '1']]);
    await expect(ask('take', 'main', { dir: '/etc', startIn: '/' })).rejects.toThrow('started by no unit');
    await expect(ask('stop', 'main')).rejects.toThrow('nothing stops main');
    expect(await ask('end', 'main', '/etc', 'SIGKILL')).toEqual([]);
    expect(await server.call('PING')).toBe('PONG');
    channel.destroy();

    // Killed, it is told, and what was asked for may be done by half.
    const link = unitLink(env);
    await link.ask('look', ['main', null]);
    expect(link.lost()).toBe(false);
    for (const each of dispatcher.started) each.kill('SIGKILL');
    await expect(link.ask('start', ['main'])).rejects.toMatchObject({ code: 'failed', reason: 'switch' });
    expect(link.lost()).toBe(true);

    // Whoever may write the configuration would say which unit it is.
    chownSync(config.path, daemon, daemon);
    const again = connect(join(sockets, 'switch.sock'));
    await once(again, 'connect');
    again.on('error', () => {});
    let said = '';
    for await (const chunk of again) said += String(chunk);
    expect(said).toBe('');
  });
});
