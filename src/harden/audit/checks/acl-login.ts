import { isOpen, type AclUser } from '../../../formats/acl/user.ts';
import { setting, usersOf, type AuditFacts, type UserFacts } from '../../facts.ts';
import { check, fine, given, notHere, type Check, type Violation } from '../check.ts';
import { isProtected, reachOfServer } from '../exposure.ts';
import { runs, takesOver, usersProof } from '../rights.ts';
import { sources } from '../sources.ts';

const openDefault: Check = check(
  'ACL01',
  {
    severity: 'critical',
    title: 'the default user needs no password',
    why: 'Every connection is the default user until it says otherwise: whoever connects may do what that user may.',
    source: sources.acl,
  },
  (facts) => {
    const server = facts.server.value;
    const tried = server?.unauthenticated.value;
    return given(tried === undefined ? usersOf(facts) : { value: [] as UserFacts[] }, (users) => {
      const user = users.find((each) => each.user.name === 'default');
      if (tried === 'noauth') return [];
      if (tried === undefined && (user === undefined || !isOpen(user.user))) return [];
      // Said by ACL02, with its own remedy.
      if (aclfileWithoutDefault(facts)) return [];
      const reach = reachOfServer(facts);
      const near = reach === 'loopback' || isProtected(facts);
      return [
        {
          resource: 'default',
          severity: near ? 'high' : 'critical',
          summary: `anybody who connects is let in without a password${near ? ' (from this host; others are turned away as things stand)' : ''}`,
          remedy:
            'make users for applications first, then: ACL SETUSER default off resetpass ~* &* +@all (with just that rest every AOF still loads), and keep it in the file',
          effect: 'run time',
          proof:
            tried === undefined
              ? usersProof(facts)
              : 'tried: a connection without a password, its PING was answered',
          evidence: { unauthenticated: tried ?? null },
          place: user?.place ?? setting(facts, 'requirepass').value?.place,
        },
      ];
    });
  },
);

function aclfileWithoutDefault(facts: AuditFacts): boolean {
  const aclfile = facts.files.value?.aclfile;
  return (
    aclfile !== undefined &&
    !aclfile.users.some(({ user, place }) => user.name === 'default' && place !== undefined)
  );
}

const fileWithoutDefault: Check = check(
  'ACL02',
  {
    severity: 'critical',
    title: 'the aclfile has no line for the default user',
    why: 'Then the default user is as a new server has it: on, without a password, allowed everything. requirepass counts for nothing, although CONFIG GET still shows it.',
    source: sources.acl,
  },
  (facts) => {
    if (facts.files.value === undefined) return given(facts.files, () => fine);
    const { aclfile, problems } = facts.files.value;
    const path = facts.files.value.entries.findLast(({ name }) => name === 'aclfile')?.values[0];
    if (aclfile === undefined) {
      const problem = problems.find((each) => each.path === path);
      if (problem !== undefined) return { missing: `${problem.path}: ${problem.why}` };
      return path === undefined || path === ''
        ? notHere('there is no aclfile')
        : { missing: `the aclfile ${path} was not given (--aclfile)` };
    }
    if (!aclfileWithoutDefault(facts)) return fine;
    const tried = facts.server.value?.unauthenticated.value;
    const requirepass = setting(facts, 'requirepass').value?.value;
    return {
      violations: [
        {
          resource: aclfile.path,
          summary: `${aclfile.path} has no line "user default …": everybody is let in${requirepass === undefined || requirepass === '' ? '' : ', and requirepass is ignored'}`,
          remedy: `first make sure that the agent’s own user stands in ${aclfile.path}, then add the line: user default off resetpass ~* &* +@all`,
          effect: 'file',
          proof:
            tried === 'pong'
              ? 'read in the file, and tried: an unauthenticated PING got PONG'
              : 'read in the file',
          evidence: { unauthenticated: tried ?? null },
          place: { file: aclfile.path, line: 1, column: 1 },
        },
      ],
    };
  },
);

const twoPlaces: Check = check(
  'ACL03',
  {
    severity: 'high',
    title: 'users in the aclfile and in redis.conf',
    why: 'A server with both does not start.',
    source: sources.acl,
  },
  (facts) =>
    given(facts.files, ({ entries }) => {
      const aclfile = entries.findLast(({ name, values }) => name === 'aclfile' && values[0] !== '');
      const user = entries.find(({ name }) => name === 'user');
      if (aclfile === undefined || user === undefined) return [];
      return [
        {
          resource: 'aclfile',
          summary: `aclfile ${aclfile.values[0] ?? ''} and a user line stand in the configuration: the server does not start with both`,
          remedy: 'move every user line into the aclfile',
          effect: 'file',
          proof: 'read in the file',
          place: user.place,
        },
      ];
    }),
);

const requirepassBeside: Check = check(
  'ACL04',
  {
    severity: 'warning',
    title: 'requirepass beside a line for the default user',
    why: 'The line wins: whoever changes requirepass in the file changes nothing.',
    source: sources.acl,
  },
  (facts) =>
    given(facts.files, ({ entries, aclfile }) => {
      const requirepass = entries.findLast(({ name }) => name === 'requirepass');
      const user =
        entries.find(({ name, values }) => name === 'user' && values[0] === 'default')?.place ??
        aclfile?.users.find((each) => each.user.name === 'default')?.place;
      if (requirepass === undefined || requirepass.values[0] === '' || user === undefined) return [];
      return [
        {
          resource: 'requirepass',
          summary: 'requirepass has no effect: a line for the user default stands beside it and wins',
          remedy: 'take requirepass out of the file, and keep the password in the user’s line as #SHA-256',
          effect: 'file',
          proof: 'read in the file',
          place: requirepass.place,
        },
      ];
    }),
);

/** How bad it is that anybody can be this user. */
function weightOf(facts: AuditFacts, user: AclUser): Violation['severity'] {
  if (user.own.allCommands || takesOver(facts, user).length > 0) return 'critical';
  return user.own.allKeys && runs(facts, user, 'set') ? 'high' : 'warning';
}

const openUser: Check = check(
  'ACL06',
  {
    severity: 'critical',
    title: 'a user that any password lets in',
    why: 'The word nopass takes whatever password is given: knowing the user’s name is enough.',
    source: sources.acl,
  },
  (facts) =>
    given(usersOf(facts), (users) =>
      users
        .filter(({ user }) => isOpen(user) && user.name !== 'default')
        .map(({ user, rules, place }) => ({
          resource: user.name,
          severity: weightOf(facts, user) ?? 'critical',
          summary: `any password lets in as ${user.name}, who may: ${scopeOf(user, rules)}`,
          remedy: `ACL SETUSER ${user.name} resetpass #SHA-256-of-a-long-random-secret, and the same into the file`,
          effect: 'run time' as const,
          proof: usersProof(facts),
          evidence: { scope: scopeOf(user, rules) },
          place,
        })),
    ),
);

/** The rules that grant something, as they are written. */
function scopeOf(user: AclUser, rules: readonly string[]): string {
  const grants = rules.filter((rule) => /^[~%&+(]|^-|^all|^db/i.test(rule));
  const shown = grants.slice(0, 12).join(' ');
  return `${shown === '' ? 'nothing' : shown}${grants.length > 12 ? ` … (${grants.length} rules)` : ''}${user.own.commands.size > 0 && grants.length > 12 ? `, ${user.own.commands.size} commands` : ''}`;
}

export const aclLoginChecks: readonly Check[] = [
  openDefault,
  fileWithoutDefault,
  twoPlaces,
  requirepassBeside,
  openUser,
];
