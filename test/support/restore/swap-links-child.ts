// Whoever owns a folder in which the agent works, at his worst: exchanges what it has made there by links to what is not his,
// and back, until he is killed. Writes a dot for each.
import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface SwapLinks {
  dir: string;
  /** A folder of root's, with a file `secret` in it. */
  trap: string;
  uid: number;
}

/** Most of what is tried is not there just then. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // The next one may be.
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(Math.random() * from.length)];

async function swapLinks({ dir, trap }: SwapLinks): Promise<never> {
  const stolen = join(dir, 'stolen');
  attempt(() => mkdirSync(stolen));
  for (let round = 0; ; round += 1) {
    const own = namesIn(dir).filter((path) => basename(path).startsWith('.redis-agent-'));
    const below = own.flatMap(namesIn);
    const deeper = below.flatMap(namesIn);
    const journal = join(dir, '.redis-agent-restore/journal.json.tmp');
    const path = pick([...own, join(dir, 'dump.rdb'), journal, ...below, ...deeper]);
    if (path === undefined) continue;
    const aside = join(stolen, String(round));
    const isFolder = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    attempt(() => renameSync(path, aside));
    attempt(() => {
      symlinkSync(isFolder ? trap : join(trap, 'secret'), path);
      process.stdout.write('.');
    });
    await delay(Math.random() * 4);
    attempt(() => lstatSync(path).isSymbolicLink() && rmSync(path));
    attempt(() => renameSync(aside, path));
    // As often as not the restore comes a step further.
    await delay(Math.random() * 40);
  }
}

if (process.argv[1] === import.meta.filename) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the test
  const task = JSON.parse(process.argv[2] ?? '') as SwapLinks;
  process.setgroups?.([]);
  process.setgid?.(task.uid);
  process.setuid?.(task.uid);
  await swapLinks(task);
}
