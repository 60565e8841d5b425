import { readdirSync, readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { runAgent, writeConfig } from '../support/agent/cli.ts';
import { sound, startDaemon } from '../support/agent/daemon.ts';
import { startServer, type TestServer } from '../support/servers/redis-server.ts';
import { isGone } from '../support/servers/scratch-process.ts';

/** A server whose next save takes as long as the test likes. */
async function slowServer(): Promise<TestServer> {
  const server = await startServer({ config: sound });
  await server.call('SET', 'key', 'x');
  await server.call('DEBUG', 'POPULATE', '20000');
  // Microseconds for each key.
  await server.call('CONFIG', 'SET', 'rdb-key-save-delay', '10000');
  return server;
}

async function childOf(daemon: number): Promise<number> {
  for (;;) {
    for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
      const [stat, command] = ['stat', 'cmdline'].map((file) => read(`/proc/${name}/${file}`));
      const parent = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
      if (parent === String(daemon) && command?.includes('work-for-daemon') === true) return Number(name);
    }
    await delay(20);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

test('a scheduled backup is taken in a process of its own, which goes first and ends with the daemon', async () => {
  const server = await slowServer();
  const daemon = startDaemon(writeConfig({ server }));
  const child = await childOf(daemon.pid);
  await expect.poll(() => getPriority(child)).toBe(10);
  expect(Number(read(`/proc/${child}/oom_score_adj`))).toBeGreaterThanOrEqual(500);
  expect(getPriority(daemon.pid)).toBe(0);
  daemon.kill('SIGKILL');
  await expect.poll(() => isGone(child)).toBe(true);
});

test('a daemon that runs at a lower priority than that hands on its own, since nobody may raise it', async () => {
  const server = await slowServer();
  const daemon = startDaemon(writeConfig({ server }));
  // Long before it has read its configuration.
  setPriority(daemon.pid, 15);
  const child = await childOf(daemon.pid);
  // It has set its priority before it asks for anything.
  await expect.poll(() => server.call('INFO', 'persistence')).toContain('rdb_bgsave_in_progress:1');
  expect(getPriority(child)).toBe(15);
  daemon.kill('SIGKILL');
  await expect.poll(() => isGone(child)).toBe(true);
});

test('one that is killed is a finding, and the daemon goes on', async () => {
  const server = await slowServer();
  const config = writeConfig({ server });
  const daemon = startDaemon(config);
  const child = await childOf(daemon.pid);
  await daemon.until({ msg: /backup|snapshot|saving|started/i });
  process.kill(child, 'SIGKILL');
  await daemon.until({ cause: /the process that did backup was ended by SIGKILL/ });
  const { json } = await runAgent(['--json', 'status'], { config });
  expect(json[0].findings).toContainEqual(
    expect.objectContaining({
      rule: 'backup-failed',
      summary: expect.stringContaining('SIGKILL') as unknown,
    }),
  );
  expect((await daemon.stop()).code).toBe(0);
});
