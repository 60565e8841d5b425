// Two servers that save to one place: neither's dump is taken for the other's.
import { expect, test } from 'vitest';
import type { RedisConnection } from '../../../../src/redis/connection/connect.ts';
import { runAgent, writeConfig } from '../../../support/agent/cli.ts';
import { startServer, type TestServer } from '../../../support/servers/redis-server.ts';
import { connect, take } from './support.ts';

/** 20 keys here, 300 there, and one place. */
async function twoServers(): Promise<{ ours: TestServer; other: TestServer }> {
  const ours = await startServer();
  const other = await startServer({ config: { dir: ours.dir } });
  for (let key = 0; key < 20; key++) await ours.call('SET', `ours:${key}`, 'x');
  for (let key = 0; key < 300; key++) await other.call('SET', `other:${key}`, 'x');
  return { ours, other };
}

/** As `connect`; after a save was asked for, the other server saves before we look, `times` times. */
function disturbed(server: TestServer, other: TestServer, times: number): () => Promise<RedisConnection> {
  let [asked, left] = [false, times];
  return async () => {
    const connection = await connect(server);
    return {
      ...connection,
      async pipeline(commands) {
        asked = commands.some(([command]) => command === 'BGSAVE');
        return await connection.pipeline(commands);
      },
      async call(command, ...args) {
        const reply = await connection.call(command, ...args);
        const quiet = command === 'INFO' && !String(reply).includes('rdb_bgsave_in_progress:1');
        if (asked && quiet && left > 0) {
          [asked, left] = [false, left - 1];
          await other.call('SAVE');
        }
        return reply;
      },
    };
  };
}

test('another server’s dump in its place: asked again, and then it is the right one', async () => {
  const { ours, other } = await twoServers();
  const { keyspace, content } = await take(ours, { connect: disturbed(ours, other, 1) });
  expect(keyspace).toMatchObject({ databases: { 0: { keys: 20 } }, exact: true });
  expect(content.includes('other:')).toBe(false);
});

test('each time another server’s: an error that says so', async () => {
  const { ours, other } = await twoServers();
  await expect(take(ours, { connect: disturbed(ours, other, 100) })).rejects.toMatchObject({
    code: 'failed',
    reason: 'foreign',
    message: expect.stringContaining('the dump of another server'),
    hint: expect.stringContaining('dbfilename'),
  });
});

test('check names the other process', async () => {
  const { ours, other } = await twoServers();
  await ours.call('SAVE');
  const config = writeConfig({ server: ours });
  const { json } = await runAgent(['check', '--json'], { config });
  const lines: { what: string }[] = json;
  expect(lines.find(({ what }) => what === 'dump file')).toMatchObject({
    verdict: 'warning',
    detail: expect.stringMatching(new RegExp(`another server too \\(pid ${other.pid}\\)`)),
  });
});
