import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { aofFolder, rewriteAof, startAofServer } from '../../../support/data/aof.ts';
import { idsIn, runAgent, takeBackup, writeConfig } from '../../../support/agent/cli.ts';
import { defaultBuild, type TestServer } from '../../../support/servers/redis-server.ts';
import { isRoot, tinyFileSystem } from '../snapshot/support.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startAofServer(defaultBuild());
  // Bytes that hardly compress.
  const noise = `for i = 1, 40 do local parts, hash = {}, redis.sha1hex(i)
    for part = 1, 2000 do hash = redis.sha1hex(hash) parts[part] = hash end
    redis.call('SET', 'noise:' .. i, table.concat(parts)) end`;
  await server.call('EVAL', noise, 0);
  await rewriteAof(server);
  await server.call('SET', 'after the rewrite', 'x');
  return () => server.stop();
});

const freeInodes = (folder: string): number =>
  Number(execFileSync('stat', ['-f', '-c', '%d', folder], { encoding: 'utf8' }).trim());

/** Leaves room for so many more files, whatever their size. */
function leaveInodes(folder: string, left: number): void {
  while (freeInodes(folder) > left) writeFileSync(join(folder, `ballast-${freeInodes(folder)}`), '');
}

describe.skipIf(!isRoot)('with a full disk', () => {
  test('where the copy for loading would be: stored all the same, and said', async () => {
    const folder = tinyFileSystem('320m,nr_inodes=60');
    const state = { path: join(folder, 'state') };
    const config = writeConfig({ server, settings: { state } });
    await takeBackup(config, '--no-verify');
    // For its lock, and what the database makes beside itself; not for a copy.
    leaveInodes(folder, 4);
    const { code, json } = await runAgent(['--json', 'backup', '--kind', 'aof', '--no-verify'], { config });
    expect({ code, json }).toMatchObject({
      code: 0,
      json: { backup: { kind: 'aof', keyspace: { exact: false, databases: { 0: { keys: 41 } } } } },
    });
    expect(json.backup.verified.summary).toMatch(/not loaded \(no copy could be made: .*ENOSPC/);
    expect(existsSync(join(state.path, 'scratch')) ? readdirSync(join(state.path, 'scratch')) : []).toEqual(
      [],
    );
  });

  test('too small for it: not tried', async () => {
    const folder = tinyFileSystem('32m');
    const config = writeConfig({ server, settings: { state: { path: join(folder, 'state') } } });
    const { code, json } = await runAgent(['--json', 'backup', '--kind', 'aof'], { config });
    expect({ code, json }).toMatchObject({
      code: 0,
      json: { backup: { keyspace: { exact: false } }, verification: { verdict: 'ok', level: 'decoded' } },
    });
    expect(json.backup.verified.summary).toMatch(/not loaded \(a copy needs .* free\)/);
    const checked = await runAgent(['--json', 'aof', 'check', '--deep'], { config });
    expect(checked).toMatchObject({
      code: 0,
      json: { verdict: 'ok', tool: { ok: null }, load: { ok: null } },
    });
  });

  test('where backups are: told before, or taken back', async () => {
    const repository = tinyFileSystem('2m');
    const config = writeConfig({ server, repository: { type: 'filesystem', path: repository } });
    const early = await runAgent(['--json', 'backup', '--kind', 'aof'], { config });
    expect(early).toMatchObject({ code: 5, json: { error: { reason: 'full' } } });
    expect(readdirSync(repository)).toEqual([]);

    execFileSync('mount', ['-o', 'remount,size=32m', repository]);
    const ballast = join(repository, 'ballast');
    let filled = false;
    const onStderr = (text: string): void => {
      if (filled || !text.includes('storing')) return;
      filled = true;
      execFileSync('sh', ['-c', `dd if=/dev/zero of=${ballast} bs=16k 2>/dev/null || :`]);
    };
    const args = ['backup', '--kind', 'aof', '--no-color'];
    const late = await runAgent(args, { config, terminal: '', onStderr });
    expect({ filled, code: late.code }).toEqual({ filled: true, code: 5 });
    expect(late.stderr).toContain('no space left on the file system');
    rmSync(ballast);
    const left = readdirSync(repository, { recursive: true }).map(String);
    expect(left.filter((name) => name.includes('aof.tar'))).toEqual([]);
    const id = await takeBackup(config, '--kind', 'aof');
    expect(readdirSync(join(repository, 'main'))).toEqual([id]);
  });

  test('where a repaired set is to be: nothing is left of it', async () => {
    const folder = tinyFileSystem('16m,nr_inodes=20');
    const target = join(folder, 'repaired');
    const fix = ['--json', 'aof', 'check', aofFolder(server), '--fix', '--to', target];
    leaveInodes(folder, 3);
    // The folder, the base and the incr, and none for the manifest.
    const cut = await runAgent(fix);
    expect(cut).toMatchObject({ code: 1, json: { error: { message: expect.stringMatching(/ENOSPC/) } } });
    expect(readdirSync(target)).toEqual([]);
    rmSync(target, { recursive: true });
    execFileSync('mount', ['-o', 'remount,size=1m', folder]);
    const small = await runAgent(fix);
    expect(small).toMatchObject({ code: 1, json: { error: { reason: 'full' } } });
    expect(readdirSync(target)).toEqual([]);
  });

  test('where it is to be unpacked: nothing is left of it', async () => {
    const config = writeConfig({ server });
    const id = await takeBackup(config, '--kind', 'aof', '--no-verify');
    const folder = tinyFileSystem('16m,nr_inodes=20');
    leaveInodes(folder, 3);
    const cut = await runAgent(['--json', 'restore', id, '--to', folder], { config });
    expect(cut).toMatchObject({ code: 1, json: { error: { message: expect.stringMatching(/ENOSPC/) } } });
    expect(readdirSync(folder).filter((name) => !name.startsWith('ballast'))).toEqual([]);
    expect(idsIn(config)).toEqual([id]);
  });
});
