// A server with mounts of its own names a path that is another server's here: what lies there is not taken for its own.
import { expect, test } from 'vitest';
import { idsIn, runAgent, writeConfig } from '../../../support/agent/cli.ts';
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
