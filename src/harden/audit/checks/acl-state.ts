import { isUnreachable, type AclUser, type Grants } from '../../../formats/acl/user.ts';
import { denialsIn, denialsRule, judgeDenials } from '../../../redis/seen-by-both/judge-denials.ts';
import { usersOf } from '../../facts.ts';
import { check, given, type Check } from '../check.ts';
import { usersProof } from '../rights.ts';
import { sources } from '../sources.ts';

const sharedHash: Check = check(
  'ACL12',
  {
    severity: 'warning',
    title: 'one password for several users',
    why: 'Who has one of them is all of them: rights that were kept apart are one.',
    source: sources.acl,
  },
  (facts) =>
    given(usersOf(facts), (users) => {
      const byHash = new Map<string, string[]>();
      for (const { user } of users)
        for (const hash of user.hashes) byHash.set(hash, [...(byHash.get(hash) ?? []), user.name]);
      return [...byHash.values()]
        .filter((names) => names.length > 1)
        .map((names) => ({
          resource: names.join(','),
          summary: `${names.join(' and ')} have the same password`,
          remedy: `give each its own: ACL GENPASS, then ACL SETUSER ${names.at(-1) ?? ''} resetpass >…`,
          effect: 'run time' as const,
          proof: usersProof(facts),
        }));
    }),
);

const oldPassword: Check = check(
  'ACL14',
  {
    severity: 'warning',
    title: 'more than one password for one user',
    why: 'Two are right while a rotation is under way. One that stays is a key that nobody looks after.',
    source: sources.acl,
  },
  (facts) =>
    given(usersOf(facts), (users) =>
      users
        .filter(({ user }) => user.hashes.size > 1)
        .map(({ user, place }) => ({
          resource: user.name,
          summary: `${user.name} has ${user.hashes.size} passwords that all work`,
          remedy: `when no rotation is under way: ACL SETUSER ${user.name} !SHA-256 for those that nobody uses`,
          effect: 'run time' as const,
          proof: usersProof(facts),
          place,
        })),
    ),
);

const unreachable: Check = check(
  'ACL20',
  {
    severity: 'warning',
    title: 'a user that nobody can log in as',
    why: 'It is on and has no password, so every AUTH fails: an application that is to use it does not work, or it is a leftover.',
    source: sources.acl,
  },
  (facts) =>
    given(usersOf(facts), (users) =>
      users
        .filter(({ user }) => isUnreachable(user))
        .map(({ user, place }) => ({
          resource: user.name,
          summary: `${user.name} is on and has no password: nobody can log in as it`,
          remedy: `ACL SETUSER ${user.name} #SHA-256-of-its-secret, or ACL DELUSER ${user.name}`,
          effect: 'run time' as const,
          proof: usersProof(facts),
          place,
        })),
    ),
);

const revoked: Check = check(
  'ACL16',
  {
    severity: 'high',
    title: 'a revoked user is still connected',
    why: 'Neither off nor taking a password away ends connections: who was logged in stays.',
    source: sources.acl,
  },
  (facts) =>
    given(facts.server, ({ clients }) =>
      given(clients, (connected) =>
        given(usersOf(facts), (users) =>
          users
            .filter(
              ({ user }) => (!user.enabled || isUnreachable(user)) && (connected.get(user.name) ?? 0) > 0,
            )
            .map(({ user }) => ({
              resource: user.name,
              summary: `${user.name} can no longer log in, and ${connected.get(user.name)} of its connections are open`,
              remedy: `CLIENT KILL USER ${user.name}`,
              effect: 'run time' as const,
              proof: 'CLIENT LIST and ACL LIST',
            })),
        ),
      ),
    ),
);

const denials: Check = {
  rule: denialsRule,
  source: sources.acl,
  judge: (facts) =>
    given(facts.server, ({ aclLog }) =>
      given(aclLog, (log) =>
        judgeDenials(denialsIn(log), facts.instance).map((found) => ({
          ...found,
          effect: 'host' as const,
          proof: 'ACL LOG',
        })),
      ),
    ),
};

function textOf(grants: Grants): string {
  const { allKeys, keys, allChannels, channels, commands, firstWords, databases } = grants;
  return JSON.stringify([
    allKeys || keys.map(({ pattern, read, write }) => `${pattern} ${read} ${write}`).toSorted(),
    allChannels || channels.toSorted(),
    [...commands].toSorted(),
    [...firstWords].map(([name, words]) => [name, ...words]),
    databases ?? null,
  ]);
}

/** What a user may and how it logs in, in one text. */
function signature(user: AclUser): string {
  return JSON.stringify([
    user.enabled,
    user.noPassword,
    [...user.hashes].toSorted(),
    textOf(user.own),
    user.selectors.map(textOf),
  ]);
}

const fileDiffers: Check = check(
  'ACL15',
  {
    severity: 'high',
    title: 'users of the file are not those of the server',
    why: 'The next start, or an ACL LOAD, goes by the file: rights that were given or taken at run time are lost then.',
    source: sources.acl,
  },
  (facts) =>
    given(facts.server, ({ users: now }) =>
      given(now, (running) =>
        given(facts.files, (files) => {
          const [problem] = files.problems;
          if (problem !== undefined) return { missing: `${problem.path}: ${problem.why}` };
          const said = files.aclfile?.users ?? files.users;
          const names = new Set([...running, ...said].map(({ user }) => user.name));
          return [...names].flatMap((name) => {
            const here = running.find(({ user }) => user.name === name);
            const there = said.find(({ user }) => user.name === name);
            if (here !== undefined && there !== undefined && signature(here.user) === signature(there.user))
              return [];
            const what =
              there === undefined
                ? 'is in no file: it is gone after the next start'
                : here === undefined
                  ? 'is in the file and not on the server'
                  : 'has other rights or passwords in the file than on the server';
            return [
              {
                resource: name,
                severity:
                  name === 'default' || there === undefined ? ('high' as const) : ('warning' as const),
                summary: `the user ${name} ${what}`,
                remedy:
                  files.aclfile === undefined
                    ? 'write its line, as ACL LIST shows it, into the file'
                    : 'ACL SAVE keeps what runs (then chmod 0640 the file); ACL LOAD takes what the file says',
                effect: 'file' as const,
                proof: 'ACL LIST, and the file evaluated',
                place: there?.place,
              },
            ];
          });
        }),
      ),
    ),
);

export const aclStateChecks: readonly Check[] = [
  sharedHash,
  oldPassword,
  revoked,
  denials,
  unreachable,
  fileDiffers,
];
