import { onTestFinished } from 'vitest';
import { runDaemon } from '../../../src/app/daemon/daemon.ts';
import { openApp } from './open-app.ts';
import type { TestConfig } from './cli.ts';
import { memoryLog, type LogEntry } from './memory-log.ts';
import { movingClock, type MovingClock } from '../clocks/moving-clock.ts';

/** The daemon in this process, on a clock that the test moves. It ends with the test. */
export interface DaemonHere {
  clock: MovingClock;
  entries: LogEntry[];
  reload(): void;
  /** Waits until so many lines of the log have these fields; throws with the log where that takes too long. */
  until(fields: Record<string, unknown>, count?: number): Promise<LogEntry>;
  stop(): Promise<void>;
}

const patience = 40_000;

export function startDaemonHere(config: TestConfig): DaemonHere {
  const [clock, log] = [movingClock(), memoryLog()];
  const [stop, cut] = [new AbortController(), new AbortController()];
  let reload = (): void => {};
  const tell = (): void => {};
  const ended = runDaemon({
    build: () => openApp(config, log, clock),
    notifier: {
      available: false,
      watchdogInterval: undefined,
      ready: tell,
      status: tell,
      reloading: tell,
      stopping: tell,
      watchdog: tell,
    },
    stop: stop.signal,
    cut: cut.signal,
    drain: 20_000,
    onReload(callback) {
      reload = callback;
      return () => {};
    },
  });
  const end = async (): Promise<void> => {
    stop.abort();
    await ended;
  };
  onTestFinished(async () => {
    cut.abort();
    await end();
  });
  return {
    clock,
    entries: log.entries,
    reload: () => reload(),
    async until(fields, count = 1) {
      for (const start = performance.now(); performance.now() - start < patience;) {
        const found = log.entries.filter((entry) => isLike(entry, fields));
        const last = found[count - 1];
        if (last !== undefined) return last;
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 10))]);
      }
      throw new Error(
        `${JSON.stringify(fields)} does not come: ${JSON.stringify(log.entries, undefined, 1)}`,
      );
    },
    stop: end,
  };
}

function isLike(entry: LogEntry, fields: Record<string, unknown>): boolean {
  return Object.entries(fields).every(([name, wanted]) =>
    wanted instanceof RegExp ? wanted.test(String(entry[name])) : entry[name] === wanted,
  );
}
