import { isDeepStrictEqual } from 'node:util';
import type { App } from '../build-app.ts';
import { Watcher, type Cycle } from './watch/watcher.ts';

/** The loops that watch the servers; they go on through a reload. */
export interface Watch {
  /** Goes on with another configuration: an instance that is as it was keeps its connection, and misses no poll. */
  use(app: App): Promise<void>;
  /** Instances whose loop has not come round lately: with one of them a watchdog hears nothing. */
  lagging(): string[];
  /** What the last cycle of each instance saw, by its name; undefined before the first. */
  cycles(): ReadonlyMap<string, Cycle | undefined>;
  stop(): Promise<void>;
}

/** Starts them. `onCycle` hears of every poll that was judged and written down. */
export function startWatch(app: App, onCycle: (instance: string, cycle: Cycle) => void = () => {}): Watch {
  let watchers: Watcher[] = [];
  const started = new Map<Watcher, number>();
  let current = app;

  function begin(): void {
    const { settings, clock } = current;
    const wanted = settings.monitor.interval === null ? [] : settings.instances;
    for (const instance of wanted) {
      if (watchers.some((watcher) => watcher.instance.name === instance.name)) continue;
      const watcher = new Watcher(current, instance, (cycle) => onCycle(instance.name, cycle));
      watchers.push(watcher);
      started.set(watcher, clock.monotonic());
    }
  }
  begin();

  return {
    async use(next) {
      const { instances, monitor, state } = next.settings;
      const same = (watcher: Watcher): boolean =>
        monitor.interval !== null &&
        state.path === current.settings.state.path &&
        instances.some((instance) => isDeepStrictEqual(instance, watcher.instance));
      const ended = watchers.filter((watcher) => !same(watcher));
      watchers = watchers.filter(same);
      for (const watcher of watchers) watcher.app = next;
      current = next;
      begin();
      for (const watcher of ended) started.delete(watcher);
      await Promise.all(ended.map(async (watcher) => watcher.stop()));
    },
    lagging() {
      const now = current.clock.monotonic();
      const late = watchers.filter((watcher) => {
        const last = watcher.last?.sample.elapsed ?? started.get(watcher) ?? now;
        return now - last >= 3 * watcher.interval + 60_000;
      });
      return late.map((watcher) => watcher.instance.name);
    },
    cycles: () => new Map(watchers.map((watcher) => [watcher.instance.name, watcher.last])),
    async stop() {
      await Promise.all(watchers.map(async (watcher) => watcher.stop()));
      watchers = [];
    },
  };
}
