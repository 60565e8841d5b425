import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runAgent } from '../../support/agent/cli.ts';
import { oddDumps } from '../../support/rdb/odd-dumps.ts';
import { serverBuilds, startServer, type ServerBuild } from '../../support/servers/redis-server.ts';

const codes = { sound: 0, 'passed-over': 0, damaged: 6 };

describe.for(Object.entries(oddDumps))('%s', ([, { bytes, verdict, says }]) => {
  test('has the right verdict', async () => {
    const json = await runAgent(['rdb', 'check', '-', '--deep', '--json'], { input: bytes });
    expect(JSON.parse(json.stdout)).toMatchObject({ verdict, sound: verdict !== 'damaged' });
    const { code, stdout } = await runAgent(['rdb', 'check', '-', '--deep'], { input: bytes });
    expect({ code, stdout: stdout.replaceAll(/\s+/g, ' ') }).toEqual({
      code: codes[verdict],
      stdout: expect.stringMatching(says),
    });
  });
});

/** Does a server start with it? How many keys it has then. */
async function load(build: ServerBuild, bytes: Buffer): Promise<number | 'no'> {
  const server = await startServer({ build });
  await server.kill('SIGKILL');
  writeFileSync(server.dumpPath, bytes);
  try {
    await server.restart();
    return Number(await server.call('DBSIZE'));
  } catch {
    return 'no';
  } finally {
    await server.stop();
  }
}

test.for(serverBuilds().filter(({ name }) => ['redis-7.0', 'valkey-9.1'].includes(name)))(
  '$name passes over what is called so, and starts with no doubled key or library',
  async (build) => {
    const of = (name: string): Promise<number | 'no'> => load(build, oddDumps[name]!.bytes);
    expect(await of('an empty list beside a key')).toBe(1);
    expect(await of('a stream with a stale length')).toBe(build.engine === 'valkey' ? 'no' : 2);
    expect(await of('a key twice')).toBe('no');
    expect(await of('a high database without keys')).toBe('no');
    expect(await of('two libraries of one name')).toBe('no');
    expect(await of('a library that does not compile')).toBe('no');
  },
);
