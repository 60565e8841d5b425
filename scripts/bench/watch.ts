import { createPoller } from '../../src/monitor/poll.ts';
import { connectRedis } from '../../src/redis/connection/connect.ts';
import { runDaemon } from '../../src/app/daemon/daemon.ts';
import { writeConfig } from '../../test/support/agent/cli.ts';
import { memoryLog } from '../../test/support/agent/memory-log.ts';
import { openApp } from '../../test/support/agent/open-app.ts';
import { movingClock } from '../../test/support/clocks/moving-clock.ts';
import { makeTempFolder, removeTempFolder } from '../../test/support/house/temp-folder.ts';
import { peerProgram } from '../../test/support/peers/peers.ts';
import { freePort } from '../../test/support/servers/free-port.ts';
import { spawnOwned } from '../../test/support/servers/owned-process.ts';
import { startServer, type TestServer } from '../../test/support/servers/redis-server.ts';

/**
 * What watching one server costs. First the polls alone, in turns with what redis_exporter asks and with a plain INFO, each of
 * a server of its own that was idle for a moment: the server's own time. Then a daemon, with its time moved on by fifteen
 * seconds for each poll and everything else that comes round in an hour: processor time, memory, and all that it asks.
 * scripts/node --expose-gc --max-semi-space-size=4 --max-old-space-size=192 scripts/bench/watch.ts [HOURS]
 */
const hours = Number(process.argv[2] ?? 4);
const perHour = 240;
/** Longer than a poll takes, milliseconds. */
const settle = 60;
const nothing = (): void => {};

/** Microseconds and calls of the server, of everything. */
async function spent(server: TestServer): Promise<Map<string, { calls: number; micros: number }>> {
  const info = String(await server.call('INFO', 'commandstats'));
  const found = info.matchAll(/cmdstat_([^:]+):calls=(\d+),usec=(\d+)/g);
  return new Map(
    [...found].map(([, name = '', calls, usec]) => [name, { calls: Number(calls), micros: Number(usec) }]),
  );
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const wait = async (ms: number): Promise<void> => await new Promise((resolve) => setTimeout(resolve, ms));

/** What each round takes a server, without that of asking for it. */
async function ofRounds(round: () => Promise<unknown>, server: TestServer): Promise<() => Promise<void>> {
  await round();
  return async () => {
    await server.call('CONFIG', 'RESETSTAT');
    await wait(settle);
    await round();
    const own = [...(await spent(server))].filter(
      ([name]) => name !== 'config|resetstat' && name !== 'config',
    );
    rounds.get(server)?.push(own.reduce((sum, [, { micros }]) => sum + micros, 0));
  };
}
const rounds = new Map<TestServer, number[]>();

/** An hour of polls, none of which finds the server warm; what comes once a minute comes in every fourth. */
async function pollsAlone(): Promise<void> {
  const folder = makeTempFolder();
  const servers = await Promise.all([startServer(), startServer(), startServer()]);
  const [polled, scraped, plain] = servers;
  const clock = movingClock();
  const { signal } = new AbortController();
  const poller = createPoller({
    connect: () => connectRedis({ name: 'main', url: polled.url }, { signal }),
    clock,
    frugal: false,
    queues: {
      instance: 'main',
      settings: () => ({ queues: [], find_queues: 3_600_000 }),
      found: [],
      onFound: nothing,
    },
  });
  const program = peerProgram('redis-exporter', 'prometheus-redis-exporter');
  const port = await freePort();
  const exporter =
    program === undefined
      ? undefined
      : spawnOwned(program, ['-web.listen-address', `127.0.0.1:${port}`, '-redis.addr', scraped.url], folder);
  try {
    for (const server of servers) {
      rounds.set(server, []);
      await server.call('DEBUG', 'POPULATE', 10_000);
    }
    await wait(1000);
    const all = [
      await ofRounds(async () => {
        clock.forward(15_000);
        await poller.poll(signal);
      }, polled),
      await ofRounds(() => plain.call('INFO'), plain),
    ];
    if (exporter !== undefined)
      all.push(await ofRounds(async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text(), scraped));
    for (let poll = 0; poll < perHour; poll++) for (const one of all) await one();
  } finally {
    poller.close();
    exporter?.kill();
    for (const server of servers) await server.stop();
    removeTempFolder(folder);
  }
  const told = [...rounds.values()].map((times) => {
    const sorted = times.toSorted((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0);
    return `${at(0.5)} µs (${at(0.1)} to ${at(0.9)}), mean ${(times.reduce((a, b) => a + b, 0) / times.length).toFixed(0)}`;
  });
  process.stdout.write(
    `the server's own time, median: a poll ${told[0]}\na scrape of redis_exporter ${told[1]}\na plain INFO ${told[2]}\n`,
  );
}

await pollsAlone();
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
      .map(([name, { micros, calls }]) => ({
        name,
        micros: (micros - (before.get(name)?.micros ?? 0)) / polls,
        calls: (calls - (before.get(name)?.calls ?? 0)) / polls,
      }))
      .toSorted((a, b) => b.micros - a.micros);
    log.entries.length = 0;
    // What is left, and not what was not yet collected.
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    process.stdout.write(
      `hour ${hour + 1}: ${polls} polls, ${((user + system) / 1e6).toFixed(2)} s of processor time, heap ${mebibytes(heapUsed)}, resident ${mebibytes(rss)}, ` +
        `server ${each.reduce((sum, { micros }) => sum + micros, 0).toFixed(0)} µs a poll (${each
          .filter(({ calls }) => calls > 0)
          .map(({ name, micros, calls }) => `${name} ${micros.toFixed(1)} in ${calls.toFixed(2)}`)
          .join(', ')})\n`,
    );
  }
} finally {
  stop.abort();
  await ended;
  await server.stop();
  removeTempFolder(config.folder);
}
