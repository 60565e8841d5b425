import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hardenerOf } from '../../support/harden/hardened.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { everything } from '../../support/house/tier.ts';
import { edgeBuilds, serverBuilds } from '../../support/servers/server-builds.ts';
import { giveToServer } from '../../support/servers/server-user.ts';

/** A configuration as people keep one: comments, odd blanks, an include with other line ends. */
async function keptByPeople(build: ManagedServer['build']): Promise<{ server: ManagedServer; more: string }> {
  const server = await manageServer({ build, down: true });
  const more = join(dirname(server.configFile), 'more.conf');
  appendFileSync(
    server.configFile,
    `# by hand, do not touch\n\n  TIMEOUT    0\nmaxmemory 0\nsave 3600 1\nclient-output-buffer-limit pubsub 0 0 0\n# the next one too\nsave 60 5000\ninclude ${more}\n# the end`,
  );
  writeFileSync(more, '# CR LF here\r\nslowlog-max-len 16\r\n');
  giveToServer(more);
  await server.start();
  return { server, more };
}

const value = async (server: ManagedServer, name: string): Promise<unknown> =>
  [await server.call('CONFIG', 'GET', name)].flat()[1];

describe.each(everything ? serverBuilds() : edgeBuilds())('harden apply on $name', (build) => {
  test('brings run time and files to the policy, loses no write, and goes back to the byte', async () => {
    const { server, more } = await keptByPeople(build);
    const hardener = await hardenerOf(server);
    const before = [readFileSync(server.configFile), readFileSync(more)];
    const modes = [statSync(server.configFile), statSync(more)].map(({ mode, uid, gid }) => [mode, uid, gid]);
    let written = 0;
    const ended = new AbortController();
    const writer = (async () => {
      while (!ended.signal.aborted) {
        await server.call('RPUSH', 'jobs', written);
        written++;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const report = await hardener.apply();
    ended.abort();
    await writer;
    expect(report.outcome).toBe('done');
    expect(await server.call('LLEN', 'jobs')).toBe(written);
    expect(await value(server, 'timeout')).toBe('300');
    expect(await value(server, 'save')).toBe('900 1 300 10 60 10000');
    expect(await value(server, 'slowlog-max-len')).toBe('128');
    const limits = 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60';
    expect(await value(server, 'client-output-buffer-limit')).toBe(limits);
    const text = readFileSync(server.configFile, 'utf8');
    expect(text).toContain('client-output-buffer-limit pubsub 32mb 8mb 60\n');
    expect(text).toContain('# by hand, do not touch\n\n  TIMEOUT    300\n');
    expect(text.match(/^save .*/gm)).toEqual(['save 900 1', 'save 300 10', 'save 60 10000']);
    expect(text).toContain('# the next one too\ninclude ');
    expect(readFileSync(more, 'utf8')).toBe('# CR LF here\r\nslowlog-max-len 128\r\n');
    expect(
      [statSync(server.configFile), statSync(more)].map(({ mode, uid, gid }) => [mode, uid, gid]),
    ).toEqual(modes);
    // What was applied is what the next start has, and nothing is left to do.
    await server.restart();
    expect(await server.call('LLEN', 'jobs')).toBe(written);
    expect(await value(server, 'appendonly')).toBe('yes');
    expect(await value(server, 'timeout')).toBe('300');
    expect(await value(server, 'client-output-buffer-limit')).toBe(limits);
    expect((await hardener.apply()).outcome).toBe('nothing');

    const back = await hardener.rollback();
    expect(back.outcome).toBe('done');
    expect([readFileSync(server.configFile), readFileSync(more)]).toEqual(before);
    expect(await value(server, 'timeout')).toBe('0');
    expect(await value(server, 'appendonly')).toBe('no');
    expect(await value(server, 'client-output-buffer-limit')).toContain('pubsub 0 0 0');
    await server.restart();
    expect(await server.call('LLEN', 'jobs')).toBe(written);
    expect(existsSync(join(dirname(server.configFile), '.redis-agent-harden/journal.json'))).toBe(false);
  }, 60_000);
});
