import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../../../src/harden/read/hash.ts';
import { hardenerOf, type Hardener } from '../../support/harden/hardened.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { edgeBuilds } from '../../support/servers/redis-server.ts';

const value = async (server: ManagedServer, name: string): Promise<unknown> =>
  [await server.call('CONFIG', 'GET', name)].flat()[1];

/** A policy of these directives, beside the server. */
function policyOf({ configFile }: ManagedServer, directives: Record<string, string>): string {
  const path = join(dirname(configFile), 'policy.yaml');
  const lines = Object.entries(directives).map(
    ([name, wanted]) => `  ${name}: { value: ${JSON.stringify(wanted)}, reason: a test, source: here }\n`,
  );
  writeFileSync(path, `name: test\nsummary: a test\ndirectives:\n${lines.join('')}`);
  return path;
}

/** Takes all room of a folder's file system; what it returns gives it back. */
function fill(folder: string): () => void {
  const filler = join(folder, 'filler');
  try {
    for (;;) appendFileSync(filler, Buffer.alloc(4096, 1));
  } catch {
    // Full.
  }
  return () => rmSync(filler);
}

test.skipIf(process.getuid?.() !== 0)(
  'a full disk at each write: nothing is lost, it says what to do, and the same command ends it when there is room',
  async () => {
    const server = await manageServer({ down: true });
    const folder = dirname(server.configFile);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
    chmodSync(folder, 0o755);
    onTestFinished(async () => {
      // Without its folder nobody finds it any more.
      await server.kill().catch(() => {});
      execFileSync('umount', ['--lazy', folder]);
    });
    mkdirSync(server.dir);
    server.configure({ save: '3600 1', 'stop-writes-on-bgsave-error': 'no' });
    appendFileSync(server.configFile, `user worker on #${sha256('a-password-of-the-test')} ~* &* +@all\n`);
    await server.start();
    const before = readFileSync(server.configFile, 'utf8');
    const policy = policyOf(server, { appendonly: 'yes', timeout: '300' });
    const hardener = await hardenerOf(server, {}, { harden: { acl: { worker: { profile: 'bullmq' } } } });

    const steps: string[] = [];
    await hardener.apply({ policy });
    await hardener.rollback({ onStep: (step) => void steps.push(step) });
    expect(steps).toContain('undo-files 1 of 1');
    expect(steps).toContain('undo-users 1 of 1');
    for (const [turn, step] of ['none yet', ...steps].entries()) {
      await hardener.apply({ policy });
      const after = readFileSync(server.configFile, 'utf8');
      // In the append only file, and in no snapshot.
      await server.call('SET', 'key', turn);
      let empty: (() => void) | undefined;
      if (step === 'none yet') empty = fill(folder);
      const failed = hardener.rollback({ onStep: (at) => void (at === step && (empty ??= fill(folder))) });
      await expect(failed, step).rejects.toMatchObject({
        message: expect.stringMatching(/no space|snapshot .* has failed/i),
        hint: expect.stringMatching(/(?:room|snapshot).*run the same command again/),
      });
      expect([before, after], step).toContain(readFileSync(server.configFile, 'utf8'));
      empty?.();
      // Whatever ends it now: the next start has everything.
      await server.kill();
      await server.start();
      expect(await server.call('GET', 'key'), step).toBe(String(turn));
      expect(await hardener.rollback(), step).toMatchObject({ outcome: 'done' });
      expect(readFileSync(server.configFile, 'utf8'), step).toBe(before);
      expect([await value(server, 'appendonly'), await value(server, 'timeout')], step).toEqual(['no', '0']);
      expect(String(await server.call('ACL', 'LIST')), step).toMatch(/user worker on [^,]*\+@all/);
      await server.restart();
      expect(await server.call('GET', 'key'), step).toBe(String(turn));
    }
  },
  120_000,
);

describe('one that was cut off', () => {
  /** Two changes, of which taking back the second one is cut off. */
  async function twice(): Promise<{ server: ManagedServer; hardener: Hardener; second: string }> {
    const server = await manageServer();
    const hardener = await hardenerOf(server);
    await hardener.apply({ policy: policyOf(server, { timeout: '100' }) });
    const { token } = await hardener.apply({ policy: policyOf(server, { timeout: '200' }) });
    return { server, hardener, second: token ?? '' };
  }
  /** Neither done nor taken back, as where the process was killed. */
  const cutAt =
    (pattern: RegExp) =>
    (step: string): void => {
      if (pattern.test(step)) throw new Error('cut off');
    };

  test('is ended by the next one, which takes nothing else back', async () => {
    const { server, hardener, second } = await twice();
    await expect(hardener.rollback({ onStep: cutAt(/^undo-runtime/) })).rejects.toThrow('cut off');
    expect(await hardener.rollback()).toMatchObject({
      outcome: 'done',
      undone: second,
      interrupted: expect.stringContaining('finished now'),
    });
    expect(await value(server, 'timeout')).toBe('100');
    await hardener.rollback();
    expect(await value(server, 'timeout')).toBe('0');
  });

  test('an apply is taken back by it, and the change before that stays', async () => {
    const { server, hardener, second } = await twice();
    const policy = policyOf(server, { timeout: '300' });
    await expect(hardener.apply({ policy, onStep: cutAt(/^persist|^undo/) })).rejects.toThrow('cut off');
    expect(await value(server, 'timeout')).toBe('300');
    const report = await hardener.rollback();
    expect(report).toMatchObject({ outcome: 'done', undone: expect.not.stringMatching(second) });
    expect(await value(server, 'timeout')).toBe('200');
  });
});

describe.each(edgeBuilds())('--restart on $name', (build) => {
  const config = { save: '3600 1', 'tcp-backlog': '128', requirepass: 'sekretsekretsekretsekret' };

  test.each([
    [
      'users',
      ['ACL', 'SETUSER', 'made-by-hand', 'on', `#${'a'.repeat(64)}`, '~*', '+get'],
      /would be gone: made-by-hand/,
    ],
    [
      'passwords',
      ['CONFIG', 'SET', 'requirepass', 'another-password-of-the-test'],
      /a password stands in no file, and would be gone, of: default/,
    ],
  ] as const)(
    '%s that stand in no file are not forgotten: refused before anything is changed',
    async (_what, [command, ...args], why) => {
      const server = await manageServer({ build, config, password: config.requirepass });
      await server.call('ACL', 'SETUSER', 'agent', 'on', `>${config.requirepass}`, '~*', '+@all');
      appendFileSync(server.configFile, `user agent on #${sha256(config.requirepass)} ~* +@all\n`);
      const file = join(dirname(server.configFile), 'secret');
      writeFileSync(file, config.requirepass, { mode: 0o600 });
      const hardener = await hardenerOf(server, { username: 'agent', password: { file } });
      const policy = policyOf(server, { 'tcp-backlog': '511', timeout: '300' });
      await hardener.apply({ policy, restart: true });
      await server.reconnect();
      await server.call(command, ...args);
      const after = readFileSync(server.configFile);
      await expect(hardener.rollback({ restart: true })).rejects.toMatchObject({
        code: 'refused',
        reason: 'restart',
        message: expect.stringMatching(why),
        hint: expect.stringContaining('without --restart the rest is taken back'),
      });
      expect(readFileSync(server.configFile)).toEqual(after);
      expect(await value(server, 'timeout')).toBe('300');
      expect((await hardener.rollback()).waiting).toEqual(['tcp-backlog']);
      expect(await value(server, 'timeout')).toBe('0');
    },
  );
});

test('--restart with an aclfile that the change has edited: as it was before decides who would be gone', async () => {
  const server = await manageServer({ down: true, config: { save: '3600 1', 'tcp-backlog': '128' } });
  const aclfile = join(dirname(server.configFile), 'users.acl');
  const lines = [
    'user default on nopass ~* &* +@all',
    `user worker on #${sha256('a-password-of-the-test')} ~* &* +@all`,
  ];
  writeFileSync(aclfile, `${lines.join('\n')}\n`, { mode: 0o640 });
  appendFileSync(server.configFile, `aclfile ${aclfile}\n`);
  await server.start();
  const harden = {
    acl: { worker: { profile: 'bullmq' }, web: { profile: 'session' } },
    close_default: false,
  };
  const hardener = await hardenerOf(server, {}, { harden });
  await hardener.apply({ policy: policyOf(server, { 'tcp-backlog': '511' }), restart: true });
  await server.reconnect();
  await server.call('ACL', 'SETUSER', 'made-by-hand', 'on', `#${'a'.repeat(64)}`, '~*', '+get');
  await expect(hardener.rollback({ restart: true })).rejects.toMatchObject({
    reason: 'restart',
    message: expect.stringMatching(/would be gone: made-by-hand$/),
  });
  await server.call('ACL', 'DELUSER', 'made-by-hand');
  // One that is new by the change is to be gone.
  expect(await hardener.rollback({ restart: true })).toMatchObject({ outcome: 'done', waiting: [] });
  await server.reconnect();
  expect(readFileSync(aclfile, 'utf8')).toBe(`${lines.join('\n')}\n`);
  expect(await value(server, 'tcp-backlog')).toBe('128');
  expect(String(await server.call('ACL', 'LIST'))).not.toContain('user web');
});

test('--restart of a server that saves nothing by what was there before is refused', async () => {
  const server = await manageServer({ config: { 'tcp-backlog': '128', save: '' } });
  await server.call('SET', 'key', 'value');
  const hardener = await hardenerOf(server);
  await hardener.apply({ policy: policyOf(server, { 'tcp-backlog': '511', save: '900 1' }) });
  await expect(hardener.rollback({ restart: true })).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('it saves nothing then, and its 1 key would be gone'),
  });
  expect(await value(server, 'save')).toBe('900 1');
  await hardener.rollback();
  expect(await server.call('GET', 'key')).toBe('value');
});
