import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError, type ReasonOf } from '../../domain/errors.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import { distrustFolder } from '../../lib/files/distrust-path.ts';
import { describeOwner, userName } from '../../lib/files/file-owner.ts';
import type { RestoreFacts } from './facts.ts';

/**
 * As whom root works in a data directory: as the server's user, and never on the word of what lies there. Throws an
 * AgentError `refused` that says what to do.
 */
export function requireServiceUser({
  user,
  instance,
  running,
}: Pick<RestoreFacts, 'user' | 'instance' | 'running'>): UserId {
  if (user === undefined)
    throw refusal(
      running === undefined
        ? `${instance} is down, and neither a unit nor the configuration says as whom it runs`
        : `the process of ${instance} cannot be found: none here holds the socket that its address leads to`,
      'user',
      'add its user to the configuration: service: { user: NAME } beside what is there',
    );
  if (user.uid === 0 && !user.named)
    throw refusal(
      `${instance} runs as root, and a restore by files would do as root what lies in its data directory`,
      'root',
      'let it run as a user of its own; or, to insist, add to this instance: service: { user: root }',
    );
  return { uid: user.uid, gid: user.gid };
}

/** Refuses a data directory, and a staging folder of ours in it, that others than root and that user could lead us by. */
export function requireOwnFolder(dir: string, staging: string, { uid }: UserId): void {
  const name = userName(uid);
  const distrust = distrustFolder(dir, uid);
  if (distrust !== undefined)
    throw refusal(
      `root does not restore into ${dir} for ${name}: ${distrust}`,
      'folder',
      `a server's data directory belongs to its user, and nobody else may write there or above: chown ${name} ${dir}, or correct dir in its configuration, or user: in service: of this instance`,
    );
  const path = join(dir, staging);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  const sound = stats.isDirectory() && stats.uid === uid && (stats.mode & 0o022) === 0;
  if (sound) return;
  const what = stats.isSymbolicLink() ? 'is a link' : stats.isDirectory() ? 'is not private' : 'is no folder';
  throw refusal(
    `${path} ${what} (${describeOwner(stats)}), and no restore has made that`,
    'staging',
    `find out who did, and move it away: mv ${path} ${path}.found`,
  );
}

function refusal(message: string, reason: ReasonOf<'refused'>, hint: string): AgentError {
  return new AgentError('refused', message, { reason, hint });
}
