import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { runAgent, spawnAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { untilInfo } from '../../support/servers/live-server.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { childScript } from '../../support/house/child-script.ts';

/** A server with other data than its backup has. */
async function prepare(): Promise<{ server: TestServer; config: TestConfig; id: string }> {
  const server = await startServer({ config: { appendonly: 'yes' } });
  await server.call('SET', 'key', 'as backed up');
  const config = writeConfig({ server });
  const id = await takeBackup(config, '--no-verify');
  await server.call('SET', 'key', 'as it is now');
  return { server, config, id };
}

describe('restore --method live', () => {
  test('shows what it will do, does it, and says how to go back', async () => {
    const { server, config, id } = await prepare();
    const planned = await runAgent(['restore', id, '--method', 'live', '--dry-run'], { config });
    expect(planned).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^Restore main from \S+\ntaken .*\nmethod live: [\s\S]*\nnothing was changed\n$/,
      ),
    });
    expect(await server.call('GET', 'key')).toBe('as it is now');

    const done = await runAgent(['--json', 'restore', id, '--method', 'live', '--yes'], { config });
    expect(done).toMatchObject({
      code: 0,
      json: {
        instance: 'main',
        outcome: 'restored',
        interrupted: null,
        restored: { method: 'live', backup: id },
      },
    });
    expect(await server.call('GET', 'key')).toBe('as backed up');

    const before: string = done.json.restored.pre_backup;
    const back = await runAgent(['restore', before, '--method', 'live', '--yes', '--no-pre-backup'], {
      config,
    });
    expect(back).toMatchObject({ code: 0, stdout: expect.stringContaining(`restored ${before}`) });
    expect(await server.call('GET', 'key')).toBe('as it is now');
  });

  test('asks, and takes no for an answer', async () => {
    const { server, config, id } = await prepare();
    const asked = await runAgent(['restore', id, '--method', 'live'], { config, terminal: 'n\n' });
    expect(asked).toMatchObject({ code: 0, stdout: 'nothing was changed\n' });
    expect(await server.call('GET', 'key')).toBe('as it is now');
    expect(await runAgent(['restore', id, '--method', 'live'], { config })).toMatchObject({ code: 2 });
  });

  test('is refused by a guard: exit status 7, and the flag that insists', async () => {
    const { server, config, id } = await prepare();
    await server.call('EVAL', "for i = 1, 500 do redis.call('SET', 'k' .. i, i) end", 0);
    const refused = await runAgent(['restore', id, '--method', 'live', '--yes'], { config });
    expect(refused).toMatchObject({
      code: 7,
      stdout: '',
      stderr: expect.stringContaining('--allow-fewer-keys'),
    });
    expect(await server.call('GET', 'key')).toBe('as it is now');
    const insisted = await runAgent(['restore', id, '--method', 'live', '--yes', '--allow-fewer-keys'], {
      config,
    });
    expect(insisted.code).toBe(0);
    expect(await server.call('DBSIZE')).toBe(1);
  });
});

describe('the daemon', () => {
  test('ends what a killed restore has left behind', async () => {
    const { server, config, id } = await prepare();
    const script = childScript('restore/restore-live-child');
    const child = spawn(process.execPath, [script, config.path, id, 'free'], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    // Its guard has set it free by then, and left the rest.
    await untilInfo(server, (info) => info.get('role') === 'master');

    // Before anything is done about it, a plan says so.
    const planned = await runAgent(['--json', 'restore', id, '--method', 'live', '--dry-run'], { config });
    expect(planned.json).toMatchObject({ interrupted: expect.stringContaining('was interrupted at free') });
    expect(planned.json.plan.guards).toEqual([]);

    const daemon = spawnAgent(['run'], { config });
    const journal = join(config.state, 'restore', 'main.live.json');
    while (existsSync(journal)) await delay(20);
    expect(await server.call('GET', 'key')).toBe('as backed up');
    daemon.kill('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
  });
});
