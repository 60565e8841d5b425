import { join } from 'node:path';

/** What main takes for the start by the unit of a socket; they work for the connection that they get as a descriptor, but `settle`. */
export const serveRestoreCommand = 'serve-restore';
export const serveSwitchCommand = 'serve-switch';
export const settleRestoresCommand = 'settle-restores';
export const serveHandsCommand = 'serve-hands';

/** The connection of a unit whose socket has Accept=yes: the first of those that systemd hands over. */
export const acceptedDescriptor = 3;

/** Where the sockets of the units are; tests have their own. Whoever may set this for root is root. */
function socketFolder(env: NodeJS.ProcessEnv): string {
  return env['REDIS_AGENT_SOCKETS'] || '/run/redis-agent-units';
}

/** Who restores for people that are no root. */
export function restoreSocket(env: NodeJS.ProcessEnv): string {
  return join(socketFolder(env), 'restore.sock');
}

/** Who stops and starts units for it. */
export function switchSocket(env: NodeJS.ProcessEnv): string {
  return join(socketFolder(env), 'switch.sock');
}

/** Who works for it in the data directories of one user's servers. */
export function handsSocket(env: NodeJS.ProcessEnv, user: string): string {
  return join(socketFolder(env), `hands-${user}.sock`);
}
