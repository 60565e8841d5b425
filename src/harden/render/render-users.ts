import { findProfile } from '../../formats/acl/profiles/index.ts';
import { profileRules } from '../../formats/acl/profiles/rules.ts';
import type { EngineVersion } from '../../formats/conf/engine.ts';

/** Who gets a password of his own. */
export type RenderedUser = 'admin' | 'replica' | 'sentinel';

/** Whom a server needs beside its applications. */
export function usersFor(beside: 'sentinel' | 'cluster' | undefined): RenderedUser[] {
  if (beside === undefined) return ['admin'];
  return beside === 'sentinel' ? ['admin', 'replica', 'sentinel'] : ['admin', 'replica'];
}

const profiles: Record<RenderedUser, string> = {
  admin: 'admin',
  replica: 'replication',
  sentinel: 'sentinel',
};

/**
 * Users: nobody gets in as `default`, and every key replays. Passwords are given as their hashes only. Comments would
 * keep the server from starting.
 */
export function renderUsers(
  hashes: readonly { user: RenderedUser; hash: string }[],
  engine: EngineVersion,
): string {
  const channels = engine.engine === 'redis' && engine.version.startsWith('6.0') ? '' : ' &*';
  const lines = hashes.map(({ user, hash }) => {
    const profile = findProfile(profiles[user]);
    if (profile === undefined) throw new Error(`no profile ${profiles[user]}`);
    return `user ${user} on #${hash} ${profileRules(profile, engine).join(' ')}`;
  });
  return [`user default off resetpass ~*${channels} +@all`, ...lines, ''].join('\n');
}

/** What each of the three Sentinels begins with; it writes its own lines into it. */
export function renderSentinel(password: string, port: number): string {
  return [
    '# Written by redis-agent harden render. Each of three Sentinels, on hosts of their own, gets a copy that it may write.',
    'port 26379',
    '# Where the others and clients reach it; without a password of its own it must not be reached from elsewhere.',
    'bind 127.0.0.1',
    '# The address by which replicas, Sentinels and clients reach the master, and how many have to agree that it is down.',
    `sentinel monitor mymaster 127.0.0.1 ${port} 2`,
    '# As whom it logs in; before the first start of the server, or it sees nobody.',
    'sentinel auth-user mymaster sentinel',
    `sentinel auth-pass mymaster ${password}`,
    '# A pause of the network is no failure.',
    'sentinel down-after-milliseconds mymaster 5000',
    'sentinel failover-timeout mymaster 60000',
    '# Replicas that follow the new master at the same time: each is without data to give meanwhile.',
    'sentinel parallel-syncs mymaster 1',
    '',
  ].join('\n');
}
