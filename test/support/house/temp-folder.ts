import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'redis-agent-test-';

const folders = new Set<string>();
process.once('exit', () => folders.forEach(removeTempFolder));

/**
 * A temporary folder that nobody else sees into; under root servers, which run as another user, may pass through it.
 * removeTempFolder, or else the end of this process, removes it. */
export function makeTempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  if (process.getuid?.() === 0) chmodSync(folder, 0o711);
  folders.add(folder);
  return folder;
}

export function removeTempFolder(folder: string): void {
  // A killed server's fork child may create a file while we remove: then the folder is not empty and is tried again.
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  folders.delete(folder);
}
