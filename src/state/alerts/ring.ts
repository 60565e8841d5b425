import { closeSync, constants, existsSync, statSync, watch, writeSync } from 'node:fs';
import { join } from 'node:path';
import { actAs } from '../../lib/process/act-as.ts';
import { openForeignSync } from '../../lib/files/foreign-file.ts';

const file = 'alerts.ring';

/**
 * Wakes whoever delivers, in this process or another, since there may be something to tell. A root beside a daemon does it
 * with the daemon's rights: the file stays the daemon's, and a link that stands there leads no further than he could go.
 */
export function ring(directory: string): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
  actAs(statSync(directory), () => {
    const opened = openForeignSync(join(directory, file), flags, 0o600);
    try {
      writeSync(opened, `${process.pid}\n`);
    } finally {
      closeSync(opened);
    }
  });
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
