import { commandTable } from '../../../formats/acl/command-table.ts';
import { isOpen, isUnreachable, mayRun, type AclUser } from '../../../formats/acl/user.ts';
import { findTakenBack } from '../../../formats/acl/taken-back.ts';
import { usersOf, type AuditFacts, type UserFacts } from '../../facts.ts';
import { check, given, notHere, type Check, type Violation } from '../check.ts';
import {
  applications,
  dangerous,
  isStaff,
  rightsProof,
  runs,
  scripting,
  takesOver,
  isDenyList,
} from '../rights.ts';
import { sources } from '../sources.ts';

const some = (names: readonly string[], most = 8): string =>
  names.slice(0, most).join(', ') + (names.length > most ? ` and ${names.length - most} more` : '');

/** How a user's rights are narrowed; never those of the user default, without whom no AOF loads whole (ACL05). */
function narrowed({ name }: AclUser, change: string): string {
  if (name !== 'default') return `ACL SETUSER ${name} ${change}`;
  return 'give the application a user of its own (ACL SETUSER app on #SHA-256 ~PREFIX:* +@all -@admin -@dangerous +info) and move its clients to it; then: ACL SETUSER default off resetpass ~* &* +@all (with fewer rights of default an AOF does not load whole)';
}

/** A check of every user that an application may log in as; the default user while it lets everybody in is ACL01's. */
function ofApplications(judge: (facts: AuditFacts, user: UserFacts) => Violation[]): Check['judge'] {
  return (facts) =>
    given(usersOf(facts), (users) => {
      const reachable = applications(facts, users).filter(
        ({ user }) => !isUnreachable(user) && !(user.name === 'default' && isOpen(user)),
      );
      if (reachable.length === 0) return notHere('no user of an application can log in');
      return reachable.flatMap((user) => judge(facts, user));
    });
}

const admin: Check = check(
  'ACL07',
  {
    severity: 'high',
    title: 'an application has administrators’ commands',
    why: 'A flaw in the application is then a flaw of the server.',
    source: sources.acl,
  },
  ofApplications((facts, { user, place }) => {
    const found = dangerous.filter((command) => runs(facts, user, command));
    if (found.length === 0 || takesOver(facts, user).length > 0 || isDenyList(user)) return [];
    return [
      {
        resource: user.name,
        summary: `${user.name} may run ${some(found)}`,
        remedy: narrowed(
          user,
          some(
            found.map((name) => `-${name}`),
            40,
          ).replaceAll(',', ''),
        ),
        effect: 'run time',
        proof: rightsProof(facts),
        evidence: { commands: found.join(' ') },
        place,
      },
    ];
  }),
);

const takingOver: Check = check(
  'ACL08',
  {
    severity: 'critical',
    title: 'an application can take the server over',
    why: 'With CONFIG SET, MODULE, REPLICAOF, RESTORE, ACL or DEBUG a client writes files, loads code, copies all data away or makes itself any user.',
    source: sources.acl,
  },
  ofApplications((facts, { user, place }) => {
    const found = takesOver(facts, user);
    if (found.length === 0) return [];
    // One forgotten reader of a deny-list is not the same as CONFIG SET.
    const worst = found.some((name) => !['monitor', 'client|kill'].includes(name));
    if (!worst && isDenyList(user)) return [];
    return [
      {
        resource: user.name,
        severity: worst ? 'critical' : 'high',
        summary: `${user.name} may run ${some(found, 12)}`,
        remedy: narrowed(
          user,
          '-@admin -@dangerous, then grant what it needs after that (+info for most clients)',
        ),
        effect: 'run time',
        proof: rightsProof(facts),
        evidence: { commands: found.join(' ') },
        place,
      },
    ];
  }),
);

const scripts: Check = check(
  'ACL09',
  {
    severity: 'high',
    title: 'an application may run scripts although it needs none',
    why: 'Most holes of the last years were in the Lua engine, and needed the right to run a script.',
    source: sources.security,
  },
  (facts) => {
    if (facts.role === undefined)
      return notHere('the instance has no role: a queue’s library needs scripts, a cache none');
    if (facts.role === 'queue') return notHere('libraries for queues work by scripts');
    return ofApplications((given_, { user, place }) => {
      const found = scripting.filter((command) => runs(given_, user, command));
      if (found.length === 0) return [];
      return [
        {
          resource: user.name,
          severity: facts.role === 'cache' ? 'high' : 'warning',
          summary: `${user.name} may run ${some(found)}, and the role is ${facts.role}`,
          remedy: `when no client of it uses scripts: ${narrowed(user, '-@scripting')}`,
          effect: 'run time',
          proof: rightsProof(facts),
          place,
        },
      ];
    })(facts);
  },
);

const allKeys: Check = check(
  'ACL10',
  {
    severity: 'warning',
    title: 'an application reaches every key',
    why: 'Two applications on one server read and delete each other’s keys.',
    source: sources.acl,
  },
  ofApplications((_facts, { user, place }) =>
    user.own.allKeys
      ? [
          {
            resource: user.name,
            summary: `${user.name} reaches every key (~*)`,
            remedy: narrowed(user, 'resetkeys ~PREFIX:*'),
            effect: 'run time',
            proof: 'the rules',
            place,
          },
        ]
      : [],
  ),
);

const allChannels: Check = check(
  'ACL11',
  {
    severity: 'warning',
    title: 'an application reaches every channel',
    why: 'It reads what others publish, and publishes as if it were they. In 6.2 that is what a new user gets.',
    source: sources.acl,
  },
  ofApplications((_facts, { user, place }) =>
    user.own.allChannels && mayRun(user, 'subscribe')
      ? [
          {
            resource: user.name,
            summary: `${user.name} reaches every channel (&*)`,
            remedy: narrowed(user, 'resetchannels &PREFIX:*'),
            effect: 'run time',
            proof: 'the rules',
            place,
          },
        ]
      : [],
  ),
);

const ownUsers: Check = check(
  'ACL18',
  {
    severity: 'warning',
    title: 'everybody shares one user',
    why: 'Without users of their own for applications, people, replicas and the agent, nobody’s rights can be narrowed and no password changed without stopping all.',
    source: sources.acl,
  },
  (facts) =>
    given(usersOf(facts), (users) => {
      const others = users.filter(({ user }) => user.name !== 'default' && !isUnreachable(user));
      const open = users.find(({ user }) => user.name === 'default' && user.enabled);
      if (open === undefined || others.some(({ user }) => !isStaff(facts, user.name))) return [];
      return [
        {
          resource: 'default',
          summary:
            others.length === 0
              ? 'default is the only user: applications, people, replicas and the agent share it'
              : `applications share the user default (besides there is ${some(others.map(({ user }) => user.name))})`,
          remedy:
            'ACL SETUSER app on #SHA-256 ~PREFIX:* +@all -@admin -@dangerous +info, one user for each purpose',
          effect: 'run time',
          proof: facts.mode === 'files' ? 'read in the file' : 'ACL LIST',
        },
      ];
    }),
);

const takenBack: Check = check(
  'ACL21',
  {
    severity: 'warning',
    title: 'the order of the rules takes a grant back',
    why: 'Rules count from left to right: what is granted before a -@dangerous that holds it is gone again, and clients fail in odd places.',
    source: 'https://github.com/redis/ioredis/issues/1211',
  },
  (facts) =>
    given(usersOf(facts), (users) =>
      users.flatMap(({ user, rules, place }) =>
        findTakenBack(rules, commandTable(facts.engine)).map(({ grant, by, lost, opposite }) => ({
          resource: `${user.name} ${grant}`,
          severity: opposite ? ('high' as const) : ('warning' as const),
          summary: opposite
            ? `${user.name}: ${by} gives back what ${grant} took away${lost.length === 0 ? '' : ` (${some(lost, 5)})`}`
            : `${user.name}: ${by} takes back ${grant}${lost.length === 0 || lost[0] === grant.slice(1) ? '' : ` (${some(lost, 5)})`}`,
          remedy: `put ${grant} behind ${by}`,
          effect: 'run time' as const,
          proof: 'the rules, in their order',
          place,
        })),
      ),
    ),
);

const denyList: Check = check(
  'ACL22',
  {
    severity: 'high',
    title: 'a deny-list leaves dangerous commands open',
    why: 'A +@all with exceptions allows what the list has forgotten, and every command that a later version brings.',
    source: sources.acl,
  },
  ofApplications((facts, { user, place }) => {
    if (!isDenyList(user) || user.own.allCommands) return [];
    const left = [...dangerous, ...scripting].filter((command) => runs(facts, user, command));
    const halfScripts = !mayRun(user, 'eval') && left.includes('evalsha');
    if (left.length === 0) return [];
    const found = left.filter((name) => halfScripts || !scripting.includes(name));
    if (found.length === 0) return [];
    return [
      {
        resource: user.name,
        summary: `${user.name} has everything but a list, and the list leaves open: ${some(found, 20)}${halfScripts ? ' (SCRIPT LOAD and EVALSHA run what EVAL may not)' : ''}`,
        remedy: `turn it round: ${narrowed(user, 'nocommands +@read +@write +@connection … ; or -@admin -@dangerous, then +info')}`,
        effect: 'run time',
        proof: rightsProof(facts),
        evidence: { commands: found.join(' ') },
        place,
      },
    ];
  }),
);

export const aclRightsChecks: readonly Check[] = [
  admin,
  takingOver,
  scripts,
  allKeys,
  allChannels,
  ownUsers,
  takenBack,
  denyList,
];
