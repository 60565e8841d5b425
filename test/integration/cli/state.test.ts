import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  canBeNobody,
  idsIn,
  runAgent,
  spawnAgent,
  takeBackup,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { systemCode } from '../../../src/domain/errors.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

/** Until nothing more goes there. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch (error) {
    if (systemCode(error) !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}

async function backedUp(): Promise<{ config: TestConfig; server: TestServer; id: string }> {
  const server = await startServer();
  await server.call('SET', 'key', 'value');
  const config = writeConfig({ server });
  return { config, server, id: await takeBackup(config) };
}

describe('the state', () => {
  test('lost between two runs: history is lost, no backup, and nothing is refused', async () => {
    const { config, id } = await backedUp();
    rmSync(config.state, { recursive: true });
    const { json } = await runAgent(['backups', 'list', '--json'], { config });
    expect(json.backups).toMatchObject([{ id, state: 'complete', verified: { level: 'loaded', ok: true } }]);
    const next = await takeBackup(config);
    expect(idsIn(config)).toEqual([id, next]);
    expect(await runAgent(['status'], { config })).toMatchObject({ code: 0 });
  });

  test.each([
    ['garbage', true, 'this is no database at all, and long enough to be looked at as one'.repeat(100)],
    ['half of one', true, 'SQLite format 3\0'],
    ['empty', false, ''],
  ])('state.db is %s: made anew, and what was in it set aside', async (_, aside, content) => {
    const { config, id } = await backedUp();
    const file = join(config.state, 'state.db');
    for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
    writeFileSync(file, content);
    expect(await runAgent(['status', '--json'], { config })).toMatchObject({
      code: 0,
      json: [{ backups: { count: 1, newest: { id } } }],
    });
    await takeBackup(config);
    expect(readdirSync(config.state).some((name) => name.startsWith('state.db.damaged-'))).toBe(aside);
  });

  test('state.db of a newer version: refused, and left as it is', async () => {
    const { config } = await backedUp();
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(join(config.state, 'state.db'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(await runAgent(['status'], { config })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /state.db was written by a newer redis-agent \(schema 99\); upgrade redis-agent/,
      ),
    });
    expect(await runAgent(['backups', 'list'], { config })).toMatchObject({ code: 0 });
  });

  test('is not needed to look at the repository', async () => {
    const { config, id } = await backedUp();
    rmSync(config.state, { recursive: true });
    // Nor can it be made.
    writeFileSync(config.state, 'in the way');
    expect(await runAgent(['backups', 'list'], { config })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(id),
    });
    expect(await runAgent(['backups', 'show', id], { config })).toMatchObject({ code: 0 });
    expect(await runAgent(['config', 'show'], { config })).toMatchObject({ code: 0 });
    for (const args of [['backup'], ['status'], ['backups', 'verify'], ['backups', 'prune', '--yes']])
      expect(await runAgent(args, { config })).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(
          /^redis-agent: cannot use the state directory: .*; run as the user that owns state.path, or as root\n$/,
        ),
      });
    expect(idsIn(config)).toEqual([id]);
  });

  test.skipIf(process.getuid?.() !== 0)(
    'finds no room: backups elsewhere go on, and status answers',
    async () => {
      const server = await startServer();
      await server.call('SET', 'key', 'value');
      const config = writeConfig({ server });
      mkdirSync(config.state);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', config.state]);
      onTestFinished(() => void execFileSync('umount', ['--lazy', config.state]));
      const first = await takeBackup(config);
      fill(join(config.state, 'in the way'));
      const backup = await runAgent(['backup', '--json'], { config });
      expect(backup.code, backup.stdout + backup.stderr).toBe(0);
      const { id } = backup.json.backup;
      expect(idsIn(config)).toEqual([first, id]);
      const status = await runAgent(['status', '--json'], { config });
      expect(status).toMatchObject({
        code: 0,
        json: [{ backups: { count: 2, newest: { id } }, state: expect.stringContaining(config.state) }],
      });
      expect((await runAgent(['status'], { config })).stdout).toMatch(/state +.*NOT REMEMBERED/);
      expect((await runAgent(['backups', 'verify', id], { config })).code).toBe(0);
      const checked = await runAgent(['check', '--json'], { config });
      const lines: { what: string; verdict: string; detail: string }[] = checked.json;
      expect(lines.filter(({ verdict }) => verdict === 'failed')).toMatchObject([
        { what: 'state', detail: expect.stringMatching(/no space|full/) },
      ]);
      // With room again all is as before, and what was known is known.
      rmSync(join(config.state, 'in the way'));
      const next = await takeBackup(config);
      expect(idsIn(config)).toEqual([first, id, next]);
      expect((await runAgent(['check'], { config })).code).toBe(0);
    },
  );

  test.skipIf(!canBeNobody)('cannot be written by this user: said in one line', async () => {
    const { config, id } = await backedUp();
    execFileSync('chown', ['-R', '65534:65534', config.repository, config.path]);
    const refused = {
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^redis-agent: cannot .*state.*; run as the user that owns state.path, or as root\n$/,
      ),
    };
    expect(await spawnAgent(['backup'], { config, nobody: true }).ended).toMatchObject(refused);
    expect(await spawnAgent(['status'], { config, nobody: true }).ended).toMatchObject(refused);
    expect(await spawnAgent(['backups', 'list'], { config, nobody: true }).ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(id),
    });
    rmSync(config.state, { recursive: true });
    expect(await spawnAgent(['backup'], { config, nobody: true }).ended).toMatchObject(refused);
    expect(idsIn(config)).toEqual([id]);
  });

  test.skipIf(!canBeNobody)('belongs to the daemon’s user: root works as that user', async () => {
    const { config, server } = await backedUp();
    execFileSync('chown', ['-R', '65534:65534', config.folder]);
    rmSync(join(config.state, 'scratch'), { recursive: true });
    // Root could look into it, and so could the server's user.
    chmodSync(server.dir, 0o700);
    expect(await spawnAgent(['backup'], { config }).ended).toMatchObject({
      code: expect.any(Number),
      stdout: '',
      stderr: expect.stringMatching(/permission denied for nobody/),
    });
  });

  test('the lock’s folder is in the way', async () => {
    const { config } = await backedUp();
    rmSync(join(config.state, 'locks'), { recursive: true });
    writeFileSync(join(config.state, 'locks'), '');
    expect(await runAgent(['backup'], { config })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^redis-agent: cannot .*\n$/),
    });
    rmSync(join(config.state, 'locks'));
    mkdirSync(join(config.state, 'locks'));
    const lock = join(config.state, 'locks', 'main.repository.lock');
    writeFileSync(lock, 'no lock of ours'.repeat(100));
    expect(await runAgent(['backup'], { config })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`; remove ${lock}: it holds nothing`),
    });
    rmSync(lock);
    await takeBackup(config);
  });

  test('the scratch folder is in the way: the backup is there, its proof is not', async () => {
    const { config } = await backedUp();
    rmSync(join(config.state, 'scratch'), { recursive: true });
    writeFileSync(join(config.state, 'scratch'), '');
    const { code, stderr } = await runAgent(['backup'], { config });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^redis-agent: backup \S+ is stored, but then: .*scratch.*\n$/),
    });
    expect(idsIn(config)).toHaveLength(2);
    expect(existsSync(join(config.state, 'scratch'))).toBe(true);
  });
});
