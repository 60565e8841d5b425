import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Finding, Severity } from '../../../src/domain/finding.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { thresholdsOf, type Role } from '../../../src/domain/settings/monitor.ts';
import type { Sample } from '../../../src/domain/sample.ts';
import type { KernelRoots } from '../../../src/lib/memory/host-memory.ts';
import { createHostLook } from '../../../src/monitor/host.ts';
import { judgeSample } from '../../../src/monitor/evaluate/judge-sample.ts';
import { createPoller } from '../../../src/monitor/poll.ts';
import { connectRedis } from '../../../src/redis/connection/connect.ts';
import { movingClock } from '../../support/clocks/moving-clock.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

const { signal } = new AbortController();
const password = 'the-applications-password';
const mib = 2 ** 20;

interface Watch {
  /** Polls, judges, and moves the clock on by a minute. */
  poll(): Promise<{ sample: Sample; findings: readonly Finding[] }>;
}

/** The daemon's loop, turn by turn. */
function watch(
  server: TestServer,
  { role, roots, username }: { role?: Role; roots?: KernelRoots; username?: string } = {},
): Watch {
  const clock = movingClock();
  const credential = username === undefined ? {} : { username, password: new Secret(password) };
  const poller = createPoller({
    connect: (own) => connectRedis({ name: 'main', url: server.url, ...credential }, { signal: own }),
    look: createHostLook(clock, server.url, roots),
    clock,
    frugal: false,
  });
  onTestFinished(() => poller.close());
  const samples: Sample[] = [];
  let was = new Map<string, Severity>();
  return {
    async poll() {
      const sample = await poller.poll(signal);
      samples.push(sample);
      const { findings } = judgeSample({
        instance: 'main',
        role,
        thresholds: thresholdsOf({ role }),
        slowCommand: 1000,
        samples,
        was: (rule, resource) => was.get(`${rule} ${resource}`),
      });
      was = new Map(findings.map(({ rule, resource, severity }) => [`${rule} ${resource}`, severity]));
      clock.forward(61_000);
      return { sample, findings };
    },
  };
}

const memoryIn = (findings: readonly Finding[]): string[] =>
  findings
    .filter(({ rule }) => rule === 'memory-high')
    .map(({ severity, summary }) => `${severity}: ${summary}`);

describe('an append only file that is loaded as a user without rights', () => {
  /** 200 scripts of two writes each, which are in the file as transactions, and a kill. */
  async function lossy(): Promise<TestServer> {
    const server = await startServer({
      auth: { username: 'app', password },
      config: { appendonly: 'yes', user: ['default off', `app on >${password} ~* &* +@all`] },
    });
    for (let each = 0; each < 200; each += 1)
      await server.call(
        'EVAL',
        "redis.call('SET', KEYS[1], 'v') return redis.call('INCR', KEYS[2])",
        2,
        `key:${each}`,
        'counter',
      );
    expect(await server.call('DBSIZE')).toBe(201);
    await server.kill('SIGKILL');
    await server.restart();
    return server;
  }

  const found = (findings: readonly Finding[]): Finding | undefined =>
    findings.find(({ rule }) => rule === 'PER07');

  test('is told with the first poll, and what it says to do brings all of it back', async () => {
    const server = await lossy();
    expect(await server.call('DBSIZE')).toBe(0);
    const before = watch(server, { username: 'app' });
    const finding = found((await before.poll()).findings);
    expect(finding).toMatchObject({
      severity: 'critical',
      summary: expect.stringMatching(
        /^AOF replay dropped \d+ commands \(user default, NOPERM\); what it dropped is still in the file/,
      ),
      evidence: { rewritten: false },
    });
    expect(Number(finding?.evidence['dropped'])).toBeGreaterThanOrEqual(400);
    expect(finding?.remedy).toContain(`(in ${server.dir})`);

    // 1, 2, 3, as it is written there.
    await server.call('CONFIG', 'SET', 'auto-aof-rewrite-percentage', '0');
    const conf = readFileSync(server.configFile, 'utf8');
    const mended = conf.replace(/^user "?default off"?$/m, 'user default off resetpass ~* &* +@all');
    expect(mended).not.toBe(conf);
    writeFileSync(server.configFile, mended);
    await server.restart();
    expect(await server.call('DBSIZE')).toBe(201);
    expect(await server.call('GET', 'counter')).toBe('200');
    expect(found((await watch(server, { username: 'app' }).poll()).findings)).toBeUndefined();
  });

  test('after a rewrite only a backup has it, and the finding says so', async () => {
    const server = await lossy();
    const eyes = watch(server, { username: 'app' });
    expect(found((await eyes.poll()).findings)?.evidence).toMatchObject({ rewritten: false });
    await server.call('BGREWRITEAOF');
    await expect
      .poll(async () => String(await server.call('INFO', 'persistence')))
      .toMatch(/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/);
    const later = found((await eyes.poll()).findings);
    expect(later).toMatchObject({
      severity: 'critical',
      summary: expect.stringContaining('only a backup can bring them back'),
      remedy: expect.stringContaining('redis-agent backups list'),
    });
  });
});

/** Whose limit is this one's own, and needs nobody's leave: a memory group of version 1. */
const groups = '/sys/fs/cgroup/memory';
const mayLimit = process.geteuid?.() === 0 && existsSync(join(groups, 'memory.limit_in_bytes'));

function limitMemory(pid: number, bytes: number): void {
  const folder = join(groups, `redis-agent-test-${process.pid}-${pid}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'memory.limit_in_bytes'), String(bytes));
  writeFileSync(join(folder, 'cgroup.procs'), String(pid));
  onTestFinished(() => {
    writeFileSync(join(groups, 'cgroup.procs'), String(pid));
    rmdirSync(folder);
  });
}

/** What a host shows whose server is in a group of version 2, as systemd makes them. */
function recordedVersion2(pid: number, bytes: number): KernelRoots {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const unit = 'system.slice/redis-server.service';
  write(`proc/${pid}/cgroup`, `0::/${unit}\n`);
  write(
    'proc/meminfo',
    'MemTotal: 8000000 kB\nMemAvailable: 6000000 kB\nCommitLimit: 1 kB\nCommitted_AS: 1 kB\n',
  );
  write('proc/sys/vm/overcommit_memory', '1\n');
  write('cgroup/system.slice/memory.max', 'max\n');
  write(`cgroup/${unit}/memory.max`, `${bytes}\n`);
  write(`cgroup/${unit}/memory.current`, '99614720\n');
  write(`cgroup/${unit}/memory.stat`, 'anon 94371840\nfile 4194304\ninactive_file 4194304\n');
  return { proc: join(folder, 'proc'), cgroup: join(folder, 'cgroup') };
}

/** About 90 MiB of strings. */
const fill = (server: TestServer): Promise<unknown> =>
  server.call('DEBUG', 'POPULATE', '90', 'big', String(mib - 1000));

describe.each([
  ['a memory group of version 1, the kernel’s own', mayLimit],
  ['a memory group of version 2, as it was recorded', true],
] as const)('without maxmemory, in %s', (where, can) => {
  test.runIf(can)('memory is told of the container, and of maxmemory once there is one', async () => {
    const server = await startServer();
    let roots: KernelRoots | undefined;
    if (where.includes('version 1')) limitMemory(server.pid, 128 * mib);
    else roots = recordedVersion2(server.pid, 128 * mib);
    await fill(server);
    const eyes = watch(server, roots === undefined ? {} : { roots });
    const first = await eyes.poll();
    const used = first.sample.values['memory_used_bytes'] ?? 0;
    expect(first.sample).toMatchObject({
      texts: { limit_source: 'container' },
      values: { memory_limit_bytes: 128 * mib, memory_used_ratio: used / (128 * mib) },
    });
    const share = (100 * used) / (128 * mib);
    expect(share).toBeGreaterThan(70);
    expect(share).toBeLessThan(80);
    expect(memoryIn(first.findings)).toEqual([
      expect.stringMatching(/^info: memory is at 7\d(?:\.\d)? % of the container limit \(/),
    ]);
    // A limit of its own that it nears, live, and then none again.
    await server.call('CONFIG', 'SET', 'maxmemory', String(Math.round(used / 0.85)));
    expect(memoryIn((await eyes.poll()).findings)).toEqual([
      expect.stringMatching(/^warning: memory is at 8\d(?:\.\d)? % of maxmemory/),
    ]);
    await server.call('CONFIG', 'SET', 'maxmemory', '0');
    expect(memoryIn((await eyes.poll()).findings)).toEqual([
      expect.stringMatching(/^info: memory is at 7\d(?:\.\d)? % of the container limit \(/),
    ]);
    expect(JSON.stringify(first.sample)).not.toContain('Infinity');
  });
});

test('a cache that is full and evicts does what it is for; the same in another role is told', async () => {
  const server = await startServer({ config: { maxmemory: '6mb', 'maxmemory-policy': 'allkeys-lru' } });
  const [cache, other] = [watch(server, { role: 'cache' }), watch(server)];
  await Promise.all([cache.poll(), other.poll()]);
  for (let each = 0; each < 3; each += 1) await server.call('DEBUG', 'POPULATE', '20000', `k${each}`, '200');
  await server.call('SET', 'one-more', 'x'.repeat(10_000));
  const [quiet, told] = [await cache.poll(), await other.poll()];
  expect(quiet.sample.values['evicted_keys_total']).toBeGreaterThan(0);
  const about = (findings: readonly Finding[]): string[] =>
    findings.map(({ rule }) => rule).filter((rule) => rule === 'memory-high' || rule === 'memory-full');
  expect(about(quiet.findings)).toEqual([]);
  expect(about(told.findings)).toEqual(expect.arrayContaining(['memory-high']));
});
