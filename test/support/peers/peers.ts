import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { hasEnded, outputOf, spawnOwned } from '../servers/owned-process.ts';
import { cacheFolder } from '../servers/server-builds.ts';

/** A program that scripts/fetch-peers could fetch: its path, or undefined. */
export function peerProgram(
  name: 'alertmanager' | 'exim' | 'prometheus' | 'redis-exporter',
  program: string,
): string | undefined {
  const folders = [cacheFolder(), '/var/cache/redis-agent'];
  return folders
    .flatMap((base) => ['bin', 'sbin'].map((bin) => join(base, 'peers', name, 'usr', bin, program)))
    .find((path) => existsSync(path));
}

/**
 * Starts it in `folder`, with its own package's /usr/share in the place of the machine's; resolves when it answers with 200
 * at `ready`. It ends with the test.
 */
export async function startPeer(
  program: string,
  args: string[],
  { folder, ready }: { folder: string; ready: string },
): Promise<void> {
  const share = join(dirname(program), '../share');
  // One that brings nothing of its own there takes the machine's.
  const script = existsSync(share) ? 'mount --bind "$0" /usr/share && exec "$@"' : 'exec "$@"';
  const child = spawnOwned('unshare', ['-rm', 'sh', '-c', script, share, program, ...args], folder);
  const output = outputOf(child);
  endGroupWithTest(child);
  for (;;) {
    if (hasEnded(child)) throw new Error(`${program} does not start: ${output()}`);
    const answer = await fetch(ready).catch(() => undefined);
    if (answer?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Kills it, with what it has forked, when the test ends. */
export function endGroupWithTest(child: ChildProcess): void {
  onTestFinished(async () => {
    if (hasEnded(child) || child.pid === undefined) return;
    const ended = once(child, 'exit');
    process.kill(-child.pid, 'SIGKILL');
    await ended;
  });
}
