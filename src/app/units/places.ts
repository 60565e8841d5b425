import { join } from 'node:path';

/** What main takes for the start by the unit of a socket; they work for the connection that they get as a descriptor, but those that recover. */
export const serveRestoreCommand = 'serve-restore';
export const serveApplyCommand = 'serve-apply';
export const serveSwitchCommand = 'serve-switch';
export const serveEtcCommand = 'serve-etc';
export const recoverRestoresCommand = 'recover-restores';
/** Behind it the words of the command that was killed. */
export const recoverChangeCommand = 'recover-change';
export const serveHandsCommand = 'serve-hands';

/** The connection of a unit whose socket has Accept=yes: the first of those that systemd hands over. */
export const acceptedDescriptor = 3;

/** Where the sockets of the units are; tests have their own. Whoever may set this for root is root. */
function socketFolder(env: NodeJS.ProcessEnv): string {
  return env['REDIS_AGENT_SOCKETS'] || '/run/redis-agent-units';
}

/** Units that do a command for people who are no root. */
export type ServingUnit = 'restore' | 'apply';

/** What root and somebody with less rights do together: as those units, or nothing but files that are named, which root opens. */
export type SharedWork = ServingUnit | 'files';

/**
 * Started for nobody who asks, but to end what an instance of it has left that was killed (OnFailure=): there it has the
 * credentials of its unit, which a process behind its end (ExecStopPost=) has not.
 */
export function isRecovering(env: NodeJS.ProcessEnv): boolean {
  return env['REDIS_AGENT_PEER'] === 'settle';
}

/** Who asks connects there. */
export function unitSocket(env: NodeJS.ProcessEnv, unit: ServingUnit): string {
  return join(socketFolder(env), `${unit}.sock`);
}

/** Who stops and starts units for it. */
export function switchSocket(env: NodeJS.ProcessEnv): string {
  return join(socketFolder(env), 'switch.sock');
}

/** Who replaces configurations that are root's own. */
export function etcSocket(env: NodeJS.ProcessEnv): string {
  return join(socketFolder(env), 'etc.sock');
}

/** Who works for it in the folders of one user's servers. */
export function handsSocket(env: NodeJS.ProcessEnv, user: string): string {
  return join(socketFolder(env), `hands-${user}.sock`);
}
