import { runDaemon } from '../../src/app/daemon/daemon.ts';
import { writeConfig } from '../../test/support/agent/cli.ts';
import { memoryLog } from '../../test/support/agent/memory-log.ts';
import { openApp } from '../../test/support/agent/open-app.ts';
import { movingClock } from '../../test/support/clocks/moving-clock.ts';
import { removeTempFolder } from '../../test/support/house/temp-folder.ts';
import { startServer, type TestServer } from '../../test/support/servers/redis-server.ts';

/**
 * What watching one server costs, with the daemon's time moved on by fifteen seconds for each poll and everything else that
 * comes round in an hour: processor time, memory, and the server's own time.
 * scripts/node --expose-gc --max-semi-space-size=4 --max-old-space-size=192 scripts/bench/watch.ts [HOURS]
 */
const hours = Number(process.argv[2] ?? 4);
const perHour = 240;
/** Longer than a poll takes, milliseconds. */
const settle = 60;

/** Microseconds and calls of the server, of everything. */
async function spent(server: TestServer): Promise<Map<string, { calls: number; micros: number }>> {
  const info = String(await server.call('INFO', 'commandstats'));
  const found = info.matchAll(/cmdstat_([^:]+):calls=(\d+),usec=(\d+)/g);
  return new Map(
    [...found].map(([, name = '', calls, usec]) => [name, { calls: Number(calls), micros: Number(usec) }]),
  );
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const server = await startServer();
await server.call('DEBUG', 'POPULATE', 10_000);
const settings = {
  backup: { schedule: '0 5 * * *', jitter: '0s' },
  verify: { after_backup: false },
  timezone: 'UTC',
};
const config = writeConfig({ server, settings }, { keep: true });
const [clock, log] = [movingClock(), memoryLog()];
const [stop, cut] = [new AbortController(), new AbortController()];
const nothing = (): void => {};
const ended = runDaemon({
  build: () => openApp(config, log, clock),
  notifier: {
    available: false,
    watchdogInterval: undefined,
    ready: nothing,
    status: nothing,
    reloading: nothing,
    stopping: nothing,
    watchdog: nothing,
  },
  stop: stop.signal,
  cut: cut.signal,
  drain: 20_000,
  onReload: () => nothing,
});
const wait = async (ms: number): Promise<void> => await new Promise((resolve) => setTimeout(resolve, ms));
try {
  // The first backup, and what a start brings.
  await wait(6000);
  for (let hour = 0; hour < hours; hour++) {
    const [before, cpu] = [await spent(server), process.cpuUsage()];
    for (let poll = 0; poll < perHour; poll++) {
      clock.forward(15_000);
      await wait(settle);
    }
    const { user, system } = process.cpuUsage(cpu);
    const after = await spent(server);
    const polls = (after.get('ping')?.calls ?? 0) - (before.get('ping')?.calls ?? 0);
    const each = [...after]
      .map(([name, { micros }]) => ({ name, micros: (micros - (before.get(name)?.micros ?? 0)) / polls }))
      .toSorted((a, b) => b.micros - a.micros);
    log.entries.length = 0;
    // What is left, and not what was not yet collected.
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    process.stdout.write(
      `hour ${hour + 1}: ${polls} polls, ${((user + system) / 1e6).toFixed(2)} s of processor time, heap ${mebibytes(heapUsed)}, resident ${mebibytes(rss)}, ` +
        `server ${each.reduce((sum, { micros }) => sum + micros, 0).toFixed(0)} µs a poll (${each
          .slice(0, 5)
          .map(({ name, micros }) => `${name} ${micros.toFixed(0)}`)
          .join(', ')})\n`,
    );
  }
  // How fast the host is just now.
  await server.call('CONFIG', 'RESETSTAT');
  for (let each = 0; each < 500; each++) await server.call('INFO');
  const { micros = 0, calls = 1 } = (await spent(server)).get('info') ?? {};
  process.stdout.write(`a plain INFO: ${(micros / calls).toFixed(0)} µs\n`);
} finally {
  stop.abort();
  await ended;
  await server.stop();
  removeTempFolder(config.folder);
}
