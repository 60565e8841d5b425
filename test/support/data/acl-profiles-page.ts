import { aclProfiles } from '../../../src/formats/acl/profiles/index.ts';
import type { AclProfile } from '../../../src/formats/acl/profiles/profile.ts';
import { profileRules } from '../../../src/formats/acl/profiles/rules.ts';
import type { EngineVersion } from '../../../src/formats/conf/engine.ts';

const newest: EngineVersion = { engine: 'redis', version: '8.0', docker: false };
const oldest: EngineVersion = { engine: 'redis', version: '6.0', docker: false };

const intro = `# ACLs that the real clients run under

What each kind of application needs of Redis or Valkey, and nothing more. The rules are data
(src/formats/acl/profiles); this page is written from them, and each was **proven by the client’s own traffic** under it, on
Redis 6.0 (BullMQ and Bull from 7.0), Redis 8.0 and Valkey 9.1, with not one denial in \`ACL LOG\`
(test/integration/harden/acl-profiles.test.ts).

    redis-agent audit --profile bullmq --user worker           # is that user’s ACL right, on every server?
    redis-agent audit --profile bullmq --user worker --key 'mail:*'
    redis-agent audit --conf redis.conf --aclfile users.acl --profile bullmq --user worker

It says what the application will be refused, which rule takes a grant back, what the user could do besides, and the command
that mends it; exit status 3 where something is missing. A command that the server does not have is left out, since a server
refuses rules about commands that it does not know: the rules below are those for Redis 8.0, and what 6.0 takes differs by a
few words (\`audit --profile\` prints the ones for your server).

What a user really uses, without MONITOR and without a look at any command, key or value:

    redis-agent harden acl suggest worker --from-traffic 10m

The agent's own user may look, as \`init\` makes it; \`--username\` and \`--password-file\` name an administrator instead. It
samples CLIENT LIST and compares the command statistics, leaves out what only the agent asks, proposes no more than the user
may do now, and says what it could not have seen. Where it looks like one of the profiles below, that one is granted whole.
What a user is for can stand in the configuration (\`harden.acl\`); \`audit --profile\` takes keys, channels and exceptions from
there.

Make a password of 32 random bytes and give the server only its SHA-256, without salt as Redis wants it:

    openssl rand -hex 32 | tr -d '\\n' > worker.secret
    redis-cli ACL SETUSER worker reset on "#$(sha256sum < worker.secret | cut -d' ' -f1)" RULES…

Then put the same line into the aclfile or redis.conf (\`user worker on #… RULES…\`). A user is made \`off\`: say \`on\`. Order
counts, from left to right: a \`-@dangerous\` behind \`+info\` takes it back.
`;

/** docs/acl-profiles.md. */
export function aclProfilesPage(): string {
  return [intro, ...aclProfiles.map(section)].join('\n');
}

function section(profile: AclProfile): string {
  const { name, title, proven, optional, notes } = profile;
  const only = wordsOnly(profile);
  return [
    `## ${name}`,
    `${capital(title)}.${proven === null ? '' : ` Proven by ${proven}.`}`,
    '',
    ...wrapped(profileRules(profile, newest)).map((line) => `    ${line}`),
    '',
    ...notes.map((note) => `- ${note}`),
    ...optional.map(({ command, for: use }) => `- Only for ${use}: \`+${command}\`.`),
    ...(only.length === 0 ? [] : [`- Not on Redis 6.0: ${only.map((word) => `\`${word}\``).join(', ')}.`]),
    '',
  ].join('\n');
}

/** Rules of the newest that the oldest does not take. */
function wordsOnly(profile: AclProfile): string[] {
  const old = new Set(profileRules(profile, oldest));
  return profileRules(profile, newest).filter((rule) => /^[+-]/.test(rule) && !old.has(rule));
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 110) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
