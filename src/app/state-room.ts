import { randomBytes } from 'node:crypto';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError, messageOf } from '../domain/errors.ts';
import { formatBytes } from '../lib/text/bytes.ts';
import type { App } from './build-app.ts';

/** What a few days of history take. Bytes. */
const margin = 256 * 1024;

/** Why what happens now would not be remembered; null where it is. Writes nothing. */
export function lackOfState(app: App): string | null {
  const directory = app.settings.state.path;
  const { unkept } = app.state();
  if (unkept !== undefined) return `${directory}: ${unkept}`;
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize >= margin ? null : `${directory} has ${formatBytes(bavail * bsize)} free`;
  } catch {
    return null;
  }
}

/** Tries it. Throws an AgentError where what is to be remembered would not be. */
export function requireKept(app: App): void {
  const directory = app.settings.state.path;
  const { unkept } = app.state();
  const probe = join(directory, `.check-${randomBytes(4).toString('hex')}`);
  try {
    if (unkept !== undefined) throw new Error(unkept);
    writeFileSync(probe, randomBytes(margin), { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw new AgentError('failed', `${directory} cannot be written to: ${messageOf(cause)}`, {
      cause,
      hint: `backups go on, and nothing that happens is remembered: see df ${directory}, or set state.path to another place`,
    });
  } finally {
    rmSync(probe, { force: true });
  }
}
