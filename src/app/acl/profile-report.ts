import { AgentError } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { findProfile, aclProfiles } from '../../formats/acl/profiles/index.ts';
import { judgeUser, type ProfileVerdict } from '../../formats/acl/profiles/judge-user.ts';
import type { AclProfile } from '../../formats/acl/profiles/profile.ts';
import { profileRules, type ProfileOptions } from '../../formats/acl/profiles/rules.ts';
import { findTakenBack } from '../../formats/acl/taken-back.ts';
import { commandTable } from '../../formats/acl/command-table.ts';
import { showEngine, type EngineVersion } from '../../formats/conf/engine.ts';
import { usersOf, type AuditFacts, type UserFacts } from '../../harden/facts.ts';
import { readServer } from '../../harden/read/read-server.ts';
import { closest } from '../../lib/text/closest.ts';
import type { App } from '../build-app.ts';

/** A user held against a profile, on one server or in one file. */
export interface ProfileReport extends ProfileVerdict {
  subject: string;
  engine: string;
  user: string;
  profile: string;
  /** False: there is none of that name. */
  exists: boolean;
  /** Why a grant of the rules does not hold: what stands behind it. */
  taken_back: { grant: string; by: string }[];
  /** What makes the user as the profile wants it; its passwords stay. */
  command: string;
  fits: boolean;
}

export interface ProfileQuestion extends ProfileOptions {
  profile: string;
  user: string;
}

/** Throws an AgentError `usage` that names the nearest. */
function requireProfile(name: string): AclProfile {
  const found = findProfile(name);
  if (found !== undefined) return found;
  const names = aclProfiles.map((each) => each.name);
  const near = closest(name, names);
  throw new AgentError('usage', `there is no profile ${JSON.stringify(name)}`, {
    hint: near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`,
  });
}

/** Asks a server. */
export async function judgeServerUser(
  app: App,
  instance: InstanceSettings,
  question: ProfileQuestion,
  signal: AbortSignal,
): Promise<ProfileReport> {
  requireProfile(question.profile);
  const connection = await app.connect(instance, signal);
  try {
    const { facts, engine } = await readServer(connection, instance.username);
    if (facts.users.value === undefined)
      throw new AgentError('redis', `instance ${instance.name}: ${facts.users.missing ?? 'no users'}`, {
        reason: 'noperm',
        hint: `an administrator grants it: ACL SETUSER ${instance.username ?? 'default'} +acl|list (up to 6.2: +acl)`,
      });
    return judge(instance.name, engine, facts.users.value, question);
  } finally {
    connection.close();
  }
}

/** Judges by files. */
export function judgeFileUser(facts: AuditFacts, question: ProfileQuestion): ProfileReport {
  const users = usersOf(facts);
  return judge(facts.instance, facts.engine, users.value ?? [], question);
}

function judge(
  subject: string,
  engine: EngineVersion,
  users: readonly UserFacts[],
  { profile: name, user: username, ...options }: ProfileQuestion,
): ProfileReport {
  const profile = requireProfile(name);
  const found = users.find(({ user }) => user.name === username);
  const common = { subject, engine: showEngine(engine), user: username, profile: profile.name };
  if (found === undefined) {
    const rules = profileRules(profile, engine, options);
    const nothing = { commands: [], keys: [], channels: [] };
    return {
      ...common,
      exists: false,
      missing: nothing,
      surplus: nothing,
      optional: [],
      rules,
      taken_back: [],
      command: newUser(username, rules),
      fits: false,
    };
  }
  const verdict = judgeUser(found.user, profile, { engine, ...options });
  const { missing } = verdict;
  const lacks = missing.commands.length + missing.keys.length + missing.channels.length > 0;
  return {
    ...common,
    exists: true,
    ...verdict,
    taken_back: lacks ? takenBack(found, engine, missing.commands) : [],
    // Never the user default, without whom no AOF loads whole: the application gets one of its own.
    command:
      username === 'default'
        ? newUser(profile.name, verdict.rules)
        : `ACL SETUSER ${username} ${quoted(changeRules(verdict.rules, engine))}`,
    fits: !lacks,
  };
}

const newUser = (name: string, rules: readonly string[]): string =>
  `ACL SETUSER ${name} reset on '#SHA-256-OF-ITS-PASSWORD' ${quoted(rules)}`;

function takenBack(
  { rules }: UserFacts,
  engine: EngineVersion,
  missing: readonly string[],
): ProfileReport['taken_back'] {
  return findTakenBack(rules, commandTable(engine))
    .filter(({ lost, opposite }) => !opposite && lost.some((each) => missing.includes(each)))
    .map(({ grant, by }) => ({ grant, by }));
}

/** Of a user that exists: passwords stay, and everything else is said anew in one command. */
function changeRules(rules: readonly string[], engine: EngineVersion): string[] {
  const old = engine.engine === 'redis' && /^6\.0\b/.test(engine.version);
  const selectors = engine.engine === 'valkey' || !/^[0-6]\./.test(engine.version) ? ['clearselectors'] : [];
  const channels = old || rules.includes('resetchannels') || rules.includes('&*') ? [] : ['resetchannels'];
  return [...selectors, 'resetkeys', ...channels, ...rules];
}

/** For a shell: `~bull:*` and `&x` would be read by it. */
function quoted(rules: readonly string[]): string {
  return rules
    .map((rule) => (/^[\w@|+.-]+$/.test(rule) ? rule : `'${rule.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
