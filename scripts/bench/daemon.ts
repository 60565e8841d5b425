import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isCounter } from '../../src/domain/metrics.ts';
import { systemClock } from '../../src/lib/time/system-clock.ts';
import { openSeries } from '../../src/state/series/series.ts';
import { phaseOf } from '../../src/app/daemon/watch/watcher.ts';
import { writeConfig, type TestConfig } from '../../test/support/agent/cli.ts';
import { memoryLog } from '../../test/support/agent/memory-log.ts';
import { makeTempFolder, removeTempFolder } from '../../test/support/house/temp-folder.ts';
import { startServer, type TestServer } from '../../test/support/servers/redis-server.ts';

/**
 * The daemon as it is shipped, with its unit's flags: what it holds in memory while it polls once a second, what fifty instances
 * with credentials of their own cost at 15 s, and how late polls are while a backup of a gibibyte is taken.
 * scripts/node scripts/bench/daemon.ts [resident] [fifty] [backup]
 */
const wanted = new Set(process.argv.slice(2));
const isWanted = (what: string): boolean => wanted.size === 0 || wanted.has(what);
const root = join(import.meta.dirname, '../..');
const unit = readFileSync(join(root, 'systemd/redis-agent.service'), 'utf8');
const flags = /^ExecStart=.*\/node (.*) \S+main\.mjs run$/m.exec(unit)?.[1]?.split(' ') ?? [];
const bundle = makeTempFolder();
const wait = async (ms: number): Promise<void> => await new Promise((resolve) => setTimeout(resolve, ms));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function withDaemon(config: TestConfig, work: (pid: number) => Promise<void>): Promise<void> {
  const args = [...flags, join(bundle, 'main.mjs'), '--config', config.path, 'run'];
  const env = { ...process.env, MALLOC_ARENA_MAX: '2' };
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
  const ended = once(child, 'exit');
  try {
    await work(child.pid ?? 0);
  } finally {
    child.kill('SIGTERM');
    await ended;
    removeTempFolder(config.folder);
  }
}

/** Mebibytes of each kind. */
function resident(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): string =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024).toFixed(1);
  return `${of('VmRSS')} MiB, ${of('RssFile')} of them pages of Node's own program`;
}

/** Processor seconds of a process and of the children that it has waited for. */
function processor(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
    .map(Number);
  return fields.slice(11, 15).reduce((a, b) => a + b, 0) / 100;
}

/** Loopback without a backup: nothing but the watch. */
const quiet = { backup: { schedule: 'off' }, verify: { after_backup: false }, timezone: 'UTC' };

async function memory(server: TestServer): Promise<void> {
  const config = writeConfig({ server, settings: { ...quiet, monitor: { interval: '1s' } } }, { keep: true });
  await withDaemon(config, async (pid) => {
    for (const seconds of [20, 40, 60]) {
      await wait(20_000);
      say(`after ${seconds} polls: ${resident(pid)}`);
    }
  });
}

async function fifty(server: TestServer): Promise<void> {
  const config = writeConfig({ server, settings: quiet }, { keep: true });
  const instances = [];
  for (let at = 0; at < 50; at++) {
    const password = `of-number-${at}-4c1f`;
    await server.call('ACL', 'SETUSER', `agent-${at}`, 'on', `>${password}`, '~*', '&*', '+@all');
    instances.push({
      name: `i${at}`,
      url: server.url,
      username: `agent-${at}`,
      password: config.secret(`i${at}`, password),
    });
  }
  config.rewrite({ server, instances, settings: { ...quiet, monitor: { find_queues: 'off' } } });
  await withDaemon(config, async (pid) => {
    await wait(40_000);
    const [before, start] = [processor(pid), performance.now()];
    await wait(60_000);
    const share = (processor(pid) - before) / ((performance.now() - start) / 1000);
    say(`50 instances: ${(share * 100).toFixed(1)} % of a core, ${resident(pid)}`);
  });
}

/** How late each poll was, by its own moment, and how long a PING of it took: the server forks meanwhile. */
async function besideBackup(server: TestServer): Promise<void> {
  for (let part = 0; part < 21; part++) await server.call('DEBUG', 'POPULATE', 50_000, `part-${part}`, 1024);
  const config = writeConfig({ server, settings: { ...quiet, monitor: { interval: '1s' } } }, { keep: true });
  await withDaemon(config, async () => {
    const series = openSeries(config.state, { clock: systemClock, log: memoryLog(), isCounter });
    const polled = (since: number): number =>
      series.read('main', 'round_trip_seconds', { since, until: Date.now() }).length;
    const started = Date.now();
    while (polled(started) < 10) await wait(500);
    const calm = Date.now();
    await wait(20_000);
    const spans: [string, number, number][] = [['alone', calm, Date.now()]];
    const begun = Date.now();
    for (let round = 0; round < 3; round++) {
      const args = [...flags, join(bundle, 'main.mjs'), '--config', config.path, 'backup'];
      const backup = spawn(process.execPath, args, { stdio: 'ignore' });
      await once(backup, 'exit');
    }
    spans.push(['beside three backups', begun, Date.now()]);
    for (const [name, since, until] of spans) {
      const points = series.read('main', 'round_trip_seconds', { since, until });
      const late = points
        .map(({ at, mean }) => ((at - phaseOf('main', 1000) + 500) % 1000) - 500 + mean * 1000)
        .toSorted((a, b) => a - b);
      const place = (share: number): string => (late[Math.floor(late.length * share)] ?? 0).toFixed(0);
      say(
        `${name}, ${((until - since) / 1000).toFixed(0)} s: ${late.length} polls, late by ${place(0.5)} ms, p99 ${place(0.99)} ms`,
      );
    }
    series.close();
  });
}

execFileSync(join(root, 'scripts/build'), [bundle], { stdio: 'ignore' });
try {
  for (const [what, run] of Object.entries({ resident: memory, fifty, backup: besideBackup })) {
    if (!isWanted(what)) continue;
    await using server = await startServer({ config: { maxmemory: '3gb' } });
    await server.call('DEBUG', 'POPULATE', 10_000);
    await run(server);
  }
} finally {
  rmSync(bundle, { recursive: true, force: true });
}
