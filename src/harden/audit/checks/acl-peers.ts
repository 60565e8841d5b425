import type { AclUser } from '../../../formats/acl/user.ts';
import { rightsOf } from '../../../formats/acl/user.ts';
import type { PeerFacts, UserFacts } from '../../facts.ts';
import { check, given, type Check, type Violation } from '../check.ts';

const peersDiffer: Check = check(
  'ACL23',
  {
    severity: 'high',
    title: 'users are not the same on every node of the same data',
    why: 'Users are not replicated. After a failover clients are refused, or may do more than they should.',
    source: 'https://github.com/valkey-io/valkey/issues/699',
  },
  (facts) =>
    given(facts.server, ({ users, peers }) =>
      given(peers, (others) =>
        given(users, (mine) => {
          const unseen = others.flatMap((peer) => peer.users.missing ?? []);
          const [first] = unseen;
          if (first !== undefined && unseen.length === others.length) return { missing: first };
          const own = facts.agent.username ?? 'default';
          const violations = others.flatMap((peer) => compare(mine, peer, own));
          return { violations, ...(unseen.length === 0 ? {} : { doubts: unseen }) };
        }),
      ),
    ),
);

function compare(mine: readonly UserFacts[], peer: PeerFacts, own: string): Violation[] {
  const theirs = peer.users.value;
  if (theirs === undefined) return [];
  const names = new Set([...mine, ...theirs].map(({ user }) => user.name));
  return [...names].flatMap((name) => {
    const here = find(mine, name);
    const there = find(theirs, name);
    const what = difference(here, there, peer.instance);
    // Each agent's own user has a password for each server.
    const agents = [own, peer.username].includes(name);
    if (what === undefined || (agents && what.startsWith('another password'))) return [];
    return [
      {
        resource: name,
        summary: `the user ${name} is not the same on ${peer.instance}: ${what}`,
        remedy:
          'name it in harden.acl and run redis-agent harden apply on every node; its password: redis-agent rotate-password',
        effect: 'run time' as const,
        proof: `ACL LIST here and on ${peer.instance}`,
        evidence: { peer: peer.instance },
      },
    ];
  });
}

function difference(
  here: AclUser | undefined,
  there: AclUser | undefined,
  instance: string,
): string | undefined {
  if (there === undefined) return 'there is none';
  if (here === undefined) return 'it is there alone';
  if (rightsOf(here) !== rightsOf(there)) return 'other rights, or another way to log in';
  return passwordsOf(here) === passwordsOf(there)
    ? undefined
    : `another password, so that clients of ${instance} are refused here`;
}

function passwordsOf({ hashes }: AclUser): string {
  return [...hashes].toSorted().join(' ');
}

function find(users: readonly UserFacts[], name: string): AclUser | undefined {
  return users.find(({ user }) => user.name === name)?.user;
}

export const aclPeerChecks: readonly Check[] = [peersDiffer];
