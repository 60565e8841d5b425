import { holdsPlaceholder } from '../placeholder.ts';
import { check, given, type Check, type Violation } from '../check.ts';
import { sources } from '../sources.ts';

const placeholder: Check = check(
  'SEC01',
  {
    severity: 'critical',
    title: 'a placeholder or a well-known word as a password',
    why: 'The server expands nothing: requirepass ${REDIS_PASSWORD} is that very text, and it stands in a public template.',
    source: sources.security,
  },
  (facts) =>
    given(facts.files, ({ entries, aclfile }) => {
      const found: Violation[] = [];
      for (const { name, values, place } of [...entries, ...(aclfile?.entries ?? [])]) {
        for (const { word, user } of secretsIn(name, values)) {
          const why = holdsPlaceholder(word, user);
          if (why === undefined) continue;
          found.push({
            resource: user === undefined ? name : `user ${user}`,
            summary: `${user === undefined ? name : `the password of user ${user}`} is ${why}`,
            remedy: why.startsWith('the text')
              ? 'let whatever writes the file put the secret in (envsubst, the orchestrator), and start the server with the result'
              : 'ACL GENPASS makes a good one; give it to the clients and put its SHA-256 into the file',
            effect: 'file',
            proof: 'read in the file',
            place,
          });
        }
      }
      return found;
    }),
);

/** Words of a line that are secrets, with the user whom they let in. */
function secretsIn(name: string, values: readonly string[]): { word: string; user: string | undefined }[] {
  if (/^(?:requirepass|masterauth|primaryauth)$/.test(name))
    return [{ word: values.join(' '), user: undefined }];
  if (name === 'user')
    return values
      .slice(1)
      .filter((word) => word.startsWith('>'))
      .map((word) => ({ word: word.slice(1), user: values[0] ?? '' }));
  if (name === 'sentinel' && /^(?:auth-pass|sentinel-pass)$/i.test(values[0] ?? ''))
    return [{ word: values.at(-1) ?? '', user: undefined }];
  return [];
}

const plain: Check = check(
  'ACL13',
  {
    severity: 'high',
    title: 'a password in the clear in a file',
    why: 'Backups, copies and whoever looks over a shoulder have it. The server takes its SHA-256 as well.',
    source: sources.acl,
  },
  (facts) =>
    given(facts.files, ({ entries, aclfile }) => {
      const found: Violation[] = [];
      for (const { name, values, place } of entries)
        if (name === 'user' && values.slice(1).some((word) => word.startsWith('>')))
          found.push(plainOf(values[0] ?? '', place));
      for (const { user, rules, place } of aclfile?.users ?? [])
        if (rules.some((rule) => rule.startsWith('>'))) found.push(plainOf(user.name, place));
      return found;
    }),
);

function plainOf(user: string, place: Violation['place']): Violation {
  return {
    resource: user,
    summary: `the password of ${user} stands in the clear in the file`,
    remedy: `printf %s SECRET | sha256sum, and write # and that in place of > and the password`,
    effect: 'file',
    proof: 'read in the file',
    place,
  };
}

const shared: Check = check(
  'SEC02',
  {
    severity: 'warning',
    title: 'one password for several servers',
    why: 'Who has one of them is on all of them.',
    source: sources.security,
  },
  (facts) => {
    const { samePassword, passwordMark } = facts.agent;
    if (passwordMark === undefined) return { absent: 'the agent logs in without a password' };
    return {
      violations:
        samePassword.length === 0
          ? []
          : [
              {
                resource: 'agent',
                summary: `the agent has the same password here and on ${samePassword.join(', ')}`,
                remedy: 'give each its own: redis-agent init makes one for each instance',
                effect: 'run time',
                proof: 'the agent’s own configuration',
              },
            ],
    };
  },
);

export const secChecks: readonly Check[] = [placeholder, plain, shared];
