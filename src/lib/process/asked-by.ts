import { currentUser, userName } from '../files/file-owner.ts';

/** Whom a unit with Accept=yes works for, as systemd names it: number of the connection, process and user. */
const peerVariable = 'REDIS_AGENT_PEER';

/** Who has this done: by sudo, by a unit that he has asked, or himself. For the history; nothing hangs on it. */
export function askedBy(env: NodeJS.ProcessEnv): string {
  const { SUDO_USER: caller = '', [peerVariable]: peer = '' } = env;
  if (/^[\w.@-]{1,64}$/.test(caller)) return caller;
  const uid = /^\d+-\d+-(\d+)$/.exec(peer)?.[1];
  return uid === undefined ? currentUser() : userName(Number(uid));
}
