import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Every temporary folder of a test starts with this; global-setup.ts looks for those that are left. */
export const tempPrefix = 'redis-agent-test-';

const folders = new Set<string>();

/** A private (0700) temporary folder; removeTempFolder, or else the end of this process, removes it. */
export function makeTempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), tempPrefix));
  if (folders.size === 0) process.once('exit', () => folders.forEach(removeTempFolder));
  folders.add(folder);
  return folder;
}

export function removeTempFolder(folder: string): void {
  // A killed server's fork child may create a file while we remove: then the folder is not empty and is tried again.
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  folders.delete(folder);
}
