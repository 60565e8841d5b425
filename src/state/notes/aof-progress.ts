import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from '../../lib/write-atomic.ts';
import { ensureStateDirectory } from '../db/open.ts';

/** Of another form of this file nothing is believed: 1 did not look for administrative commands. */
const form = 2;

/**
 * What earlier runs have verified of an instance's AOF, as they noted it; undefined where nothing was noted or it cannot
 * be read: then everything is read anew, which is only slower.
 */
export function readAofProgress(directory: string, instance: string): unknown {
  try {
    const noted: unknown = JSON.parse(readFileSync(fileOf(directory, instance), 'utf8'));
    if (typeof noted !== 'object' || noted === null || !('form' in noted) || !('files' in noted))
      return undefined;
    return noted.form === form ? noted.files : undefined;
  } catch {
    return undefined;
  }
}

/** Rejects with a system error. */
export async function writeAofProgress(directory: string, instance: string, files: unknown): Promise<void> {
  ensureStateDirectory(join(directory, 'aof'));
  await writeAtomic(fileOf(directory, instance), `${JSON.stringify({ form, files })}\n`, { mode: 0o600 });
}

function fileOf(directory: string, instance: string): string {
  return join(directory, 'aof', `${instance}.json`);
}
