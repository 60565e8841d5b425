import { lchownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { UserId } from '../../../src/lib/process/act-as.ts';

/** As whom test servers run: an ordinary user of every host where we are root, as servers do; else ourselves. */
export const serverUser: UserId | undefined = process.getuid?.() === 0 ? { uid: 1, gid: 1 } : undefined;

/** The same for an instance's `service:`. */
export const serviceUser: { user?: string } =
  serverUser === undefined ? {} : { user: String(serverUser.uid) };

/** Words before a program that root starts as that user. */
export const asServerUser: readonly string[] =
  serverUser === undefined
    ? []
    : ['setpriv', '--reuid', String(serverUser.uid), '--regid', String(serverUser.gid), '--clear-groups'];

/** Gives a folder to that user, with all that is in it. */
export function giveToServer(path: string): void {
  if (serverUser === undefined) return;
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) giveToServer(join(path, name));
  lchownSync(path, serverUser.uid, serverUser.gid);
}
