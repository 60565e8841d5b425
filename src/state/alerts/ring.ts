import { existsSync, statSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const file = 'alerts.ring';

/** Wakes whoever delivers, in this process or another, since there may be something to tell. */
export function ring(directory: string): void {
  writeFileSync(join(directory, file), `${process.pid}\n`, { mode: 0o600 });
}

/**
 * Calls back when somebody rings; returns how to stop. Where files cannot be watched (a limit of the host's, a network
 * file system) nothing is heard: whoever listens asks again now and then.
 */
export function onRing(directory: string, callback: () => void): () => void {
  const path = join(directory, file);
  try {
    if (!existsSync(path)) ring(directory);
    // What stands there before is no ring; the state directory itself has writes all the time.
    let heard = statSync(path).mtimeMs;
    const watcher = watch(path, { persistent: false }, () => {
      const now = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      if (now === heard) return;
      heard = now;
      callback();
    });
    watcher.on('error', () => {});
    return () => watcher.close();
  } catch {
    return () => {};
  }
}
