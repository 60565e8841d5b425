import type { AclUser } from '../../formats/acl/user.ts';
import type { UserFacts } from '../facts.ts';
import { isClosed, planAcl, type AclPlanOptions } from './plan-acl.ts';

/** A user that is to become another, in the server's memory, in its files, or in both. */
export interface UserWork {
  user: string;
  /** new: nobody has it; rights: others than it has; closed: nobody logs in as it any more. */
  kind: 'new' | 'rights' | 'closed';
  /** Behind `ACL SETUSER NAME`; undefined: it is so in memory already. */
  words: string[] | undefined;
  /** The rules of its line, passwords as hashes among them; undefined: the file says so already. */
  line: string[] | undefined;
  /** What stands for the hash of a password that is yet to be made. */
  placeholder: string | undefined;
  /** It is in memory now. */
  wasThere: boolean;
  why: string;
}

export interface AclWork {
  work: UserWork[];
  refused: { user: string; why: string }[];
}

/** Nobody knows what has this SHA-256: it stands where that of a new password will. */
function placeholderOf(index: number): string {
  return `${index + 1}`.padStart(64, '0');
}

/**
 * What memory and files lack of what is wanted. A user that only one of them has keeps the passwords that it has there; a
 * new one gets a placeholder. `default` is the last: until then whoever came as it is let in.
 */
export function mergePlans(
  memory: readonly UserFacts[],
  file: readonly UserFacts[],
  inFile: ReadonlySet<string>,
  options: Omit<AclPlanOptions, 'passwordOf'>,
): AclWork {
  const names = Object.keys(options.wishes);
  const passwordOf = (user: string): string => placeholderOf(names.indexOf(user));
  const now = planAcl(memory, { ...options, passwordOf });
  const next = planAcl(file, { ...options, passwordOf });
  const result: AclWork = { work: [], refused: [] };
  for (const user of [...names.filter((name) => name !== 'default'), 'default']) {
    const refused = [...now.refused, ...next.refused].find((each) => each.user === user);
    if (refused !== undefined) {
      result.refused.push(refused);
      continue;
    }
    const [live, kept] = [now, next].map(({ changes }) => changes.find((each) => each.user === user));
    if (live === undefined && kept === undefined) continue;
    const isKept = inFile.has(user);
    const mine = find(memory, user);
    const theirs = isKept ? find(file, user) : undefined;
    const rules = rulesOf(live?.words ?? kept?.words ?? []);
    const isNew = mine === undefined && theirs === undefined;
    const placeholder = isNew ? passwordOf(user) : undefined;
    const closed = user === 'default';
    const login = (of: AclUser | undefined): string[] =>
      placeholder === undefined ? loginOf(of ?? mine?.user ?? theirs?.user) : ['on', `#${placeholder}`];
    result.work.push({
      user,
      kind: closed ? 'closed' : isNew ? 'new' : 'rights',
      words:
        live === undefined
          ? undefined
          : live.isNew
            ? ['reset', ...login(theirs?.user), ...rules]
            : live.words,
      line:
        kept === undefined && isKept
          ? undefined
          : closed
            ? (kept ?? live)?.words
            : [...login(theirs?.user), ...rules],
      placeholder,
      wasThere: mine !== undefined,
      why: (live ?? kept)?.why ?? `no file has ${user}`,
    });
  }
  return result;
}

/** Is everything so? What nobody may change, and what was refused, counts for nothing. */
export function isDone(
  users: readonly UserFacts[],
  work: readonly UserWork[],
  options: Omit<AclPlanOptions, 'passwordOf' | 'connected' | 'needs'>,
): string | undefined {
  const wanted = new Set(work.map(({ user }) => user));
  const { changes } = planAcl(users, {
    ...options,
    closeDefault: false,
    connected: new Set(),
    passwordOf: () => placeholderOf(0),
  });
  const left = changes.find(({ user }) => wanted.has(user));
  if (left !== undefined) return left.why;
  if (!wanted.has('default')) return undefined;
  const standard = find(users, 'default')?.user;
  return standard !== undefined && isClosed(standard) ? undefined : 'default still lets somebody in';
}

function find(users: readonly UserFacts[], name: string): UserFacts | undefined {
  return users.find(({ user }) => user.name === name);
}

/** Without what begins anew and who gets in: what is left of the words of a SETUSER, or of a user's own line. */
function rulesOf(words: readonly string[]): string[] {
  const none = words.indexOf('-@all');
  // What a SETUSER begins with says nothing in a line, which begins from nothing.
  const begun = none !== words.lastIndexOf('-@all') ? none + 1 : 0;
  return words
    .slice(begun)
    .filter(
      (word) =>
        !/^(?:on|off|nopass|resetpass|reset|clearselectors|resetkeys|sanitize-payload)$/.test(word) &&
        !/^[>#<!]/.test(word),
    );
}

function loginOf(user: AclUser | undefined): string[] {
  if (user === undefined) return ['off'];
  const { enabled, noPassword, hashes } = user;
  return [
    enabled ? 'on' : 'off',
    ...(noPassword ? ['nopass'] : []),
    ...[...hashes].map((hash) => `#${hash}`),
  ];
}
