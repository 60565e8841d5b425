import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Folders of the run that onceARun keeps: global-setup.ts calls none of them left behind. */
export const keptFolders = ['agent', 'certificates', 'children'] as const;

/**
 * A folder that is made by whoever needs it first and serves the whole run; undefined where no run is (a bench, a child).
 * Two that make it at the same time both do, and one of the results is kept.
 */
export function onceARun(
  name: (typeof keptFolders)[number],
  make: (folder: string) => void,
): string | undefined {
  const run = process.env['REDIS_AGENT_TEST_RUN'];
  if (run === undefined) return undefined;
  const folder = join(run, name);
  if (existsSync(folder)) return folder;
  const own = mkdtempSync(`${folder}-`);
  try {
    make(own);
    renameSync(own, folder);
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
