// A server with mounts of its own names a path that is another server's here: what lies there is not taken for its own.
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { canBeNobody, idsIn, runAgent, spawnAgent, writeConfig } from '../../../support/agent/cli.ts';
import { defaultBuild, startServer } from '../../../support/servers/redis-server.ts';
import { countSaves, isRoot, wrapped } from './support.ts';

test.skipIf(!isRoot)('refused by check, backup, backup of the AOF and aof check', async () => {
  const host = await startServer({ config: { appendonly: 'yes' }, asRoot: true });
  await host.call('SET', 'of the host', 'x');
  const build = wrapped(
    defaultBuild(),
    `exec unshare --mount sh -c 'mount -t tmpfs tmpfs ${host.dir} && exec "$@"' sh "$@"`,
  );
  const config = { dir: host.dir, appendonly: 'yes' };
  const contained = await startServer({ build, config, asRoot: true });
  await contained.call('SET', 'of the container', 'x');
  const ours = writeConfig({ server: contained });
  for (const args of [['backup'], ['backup', '--kind', 'aof'], ['aof', 'check']]) {
    const { code, stderr } = await runAgent(args, { config: ours });
    expect({ code, stderr }).toEqual({
      code: 7,
      stderr: expect.stringMatching(/is not the folder in which this server works.*container/),
    });
  }
  const { code, json } = await runAgent(['check', '--json'], { config: ours });
  const lines: { what: string; verdict: string }[] = json;
  expect({
    code,
    failed: lines.filter(({ verdict }) => verdict === 'failed').map(({ what }) => what),
  }).toEqual({
    code: 3,
    failed: ['dump file'],
  });
  expect({ ids: idsIn(ours), saves: await countSaves(contained) }).toEqual({ ids: [], saves: 0 });
  // The host's own server is what it says.
  const theirs = writeConfig({ server: host });
  expect((await runAgent(['aof', 'check'], { config: theirs })).code).toBe(0);
  expect((await runAgent(['backup'], { config: theirs })).code).toBe(0);
});

test.skipIf(!canBeNobody)(
  'who cannot see its process goes by the lengths, and notes what shows nothing',
  async () => {
    const host = await startServer({ config: { appendonly: 'yes' } });
    await host.call('SET', 'of the host', 'x');
    const build = wrapped(
      defaultBuild(),
      `exec unshare --mount sh -c 'mount -t tmpfs tmpfs ${host.dir} && exec "$@"' sh "$@"`,
    );
    const contained = await startServer({
      build,
      config: { dir: host.dir, appendonly: 'yes' },
      asRoot: true,
    });
    await contained.call('SET', 'of the container', 'and more of it');
    chmodSync(host.dir, 0o755);
    execFileSync('chmod', ['-R', 'a+rX', join(host.dir, 'appendonlydir')]);
    const identities: unknown[] = [];
    for (const server of [host, contained]) {
      const config = writeConfig({ server });
      execFileSync('chown', ['-R', '65534:65534', config.folder]);
      chmodSync(dirname(config.folder), 0o755);
      const { code, json } = await spawnAgent(['--json', 'backup', '--kind', 'aof'], { config, nobody: true })
        .ended;
      expect({ code, ...json.error }).toEqual({ code: 0 });
      identities.push(json.backup.identity);
      const shown = await spawnAgent(['backups', 'show', json.backup.id], { config, nobody: true }).ended;
      expect(shown.stdout.includes('identity')).toBe(server === contained);
    }
    expect(identities).toEqual([undefined, 'unproven']);
  },
);
