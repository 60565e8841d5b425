import { applyRules } from '../../formats/acl/apply-rules.ts';
import { findProfile } from '../../formats/acl/profiles/index.ts';
import { judgeUser } from '../../formats/acl/profiles/judge-user.ts';
import { hasSelectors, profileRules, type ProfileOptions } from '../../formats/acl/profiles/rules.ts';
import { hasEverything, isUnreachable, type AclUser } from '../../formats/acl/user.ts';
import { atLeastVersion, type EngineVersion } from '../../formats/conf/engine.ts';
import type { UserFacts } from '../facts.ts';

/** What the configuration wants of one user (`harden.acl`). */
export interface AclWish extends ProfileOptions {
  profile: string;
}

/** One `ACL SETUSER`: what a server is to be told, and why. */
export interface AclChange {
  user: string;
  isNew: boolean;
  /** Behind `ACL SETUSER NAME`. */
  words: string[];
  why: string;
  /** Puts a user back that was there; undefined of a new one, which ACL DELUSER takes away. */
  undo: string[] | undefined;
}

export interface AclPlan {
  changes: AclChange[];
  /** What is not done, and why: whoever applies the rest has to know. */
  refused: { user: string; why: string }[];
}

/** Somebody who looks after the server, and what he has to be able to do there as that user. */
export interface Need {
  user: string;
  /** `the agent itself logs in` */
  who: string;
  commands: readonly string[];
  channels: readonly string[];
}

export interface AclPlanOptions {
  engine: EngineVersion;
  wishes: Readonly<Record<string, AclWish>>;
  /** Nobody logs in as `default` any more, in the form in which an AOF still replays. */
  closeDefault: boolean;
  /** Users of connections that are open; undefined: whoever asks may not list them. */
  connected: ReadonlySet<string> | undefined;
  /** The agent, replicas and Sentinels, who must not be locked out. */
  needs?: readonly Need[];
  /** SHA-256 of a password for a new user: only whoever applies this makes one. */
  passwordOf(this: void, user: string): string;
}

/**
 * The changes that bring a server’s users to what the configuration wants; none where they are so. Never ACL LOAD, which
 * drops clients: each is one SETUSER, and passwords of users that are there stay. Users that nobody speaks of stay as they
 * are.
 */
export function planAcl(users: readonly UserFacts[], options: AclPlanOptions): AclPlan {
  const plan: AclPlan = { changes: [], refused: [] };
  for (const [user, wish] of Object.entries(options.wishes)) planUser(plan, user, wish, users, options);
  if (options.closeDefault) planDefault(plan, users, options);
  return plan;
}

function planUser(
  plan: AclPlan,
  user: string,
  wish: AclWish,
  users: readonly UserFacts[],
  { engine, passwordOf, needs = [] }: AclPlanOptions,
): void {
  const profile = findProfile(wish.profile);
  if (profile === undefined) {
    plan.refused.push({ user, why: `there is no profile ${wish.profile}` });
    return;
  }
  if (user === 'default') {
    plan.refused.push({
      user,
      why: 'default is no application’s: an AOF replays as default, and loses what it may not do',
    });
    return;
  }
  const rules = profileRules(profile, engine, wish);
  const locked = whoIsLockedOut(user, rules, { engine, needs });
  if (locked !== undefined) {
    plan.refused.push({ user, why: locked });
    return;
  }
  const found = users.find((each) => each.user.name === user);
  if (found === undefined) {
    const words = ['reset', 'on', `#${passwordOf(user)}`, ...rules];
    plan.changes.push({ user, isNew: true, words, why: `there is no ${user}`, undo: undefined });
    return;
  }
  const { missing, surplus } = judgeUser(found.user, profile, { engine, ...wish });
  const count = (of: typeof missing): number => of.commands.length + of.keys.length + of.channels.length;
  if (count(missing) + count(surplus) === 0) return;
  const why = [
    ...(count(missing) > 0
      ? [`lacks ${some([...missing.keys, ...missing.channels, ...missing.commands])}`]
      : []),
    ...(count(surplus) > 0
      ? [`may ${some([...surplus.keys, ...surplus.channels, ...surplus.commands])} besides`]
      : []),
  ].join(', and ');
  plan.changes.push({
    user,
    isNew: false,
    words: [...fromScratch(engine), ...rules],
    why: `${user} ${why}`,
    // Masked rules hold no password, and SETUSER leaves those that are there.
    undo: [...fromScratch(engine), ...found.rules.filter((rule) => !/^[>#<!]|^(?:on|off|reset)$/.test(rule))],
  });
}

/** The agent, a replica or a Sentinel that could not do its work as a user with these rules. */
function whoIsLockedOut(
  user: string,
  rules: readonly string[],
  { engine, needs }: { engine: EngineVersion; needs: readonly Need[] },
): string | undefined {
  const { user: made } = applyRules(user, ['on', 'nopass', ...rules], {
    engine,
    hash: () => '',
    lenient: true,
  });
  for (const { who, commands, channels } of needs.filter((need) => need.user === user)) {
    const need = { ...nothing, commands, channels };
    const { missing } = judgeUser(made, need, { engine });
    const lacks = [...missing.commands, ...missing.channels];
    if (lacks.length > 0) return `${who} as ${user}, and would be refused ${some(lacks)}`;
  }
  return undefined;
}

const nothing = { name: 'needed', title: '', proven: null, optional: [], keys: [], notes: [] };

/** `off` alone, in a file, begins from nothing: every transaction and script is dropped at the replay of an AOF then. */
function planDefault(
  plan: AclPlan,
  users: readonly UserFacts[],
  { engine, connected, needs = [] }: AclPlanOptions,
): void {
  const found = users.find(({ user }) => user.name === 'default')?.user;
  if (found !== undefined && isClosed(found)) return;
  const others = users.filter(({ user }) => user.name !== 'default' && user.enabled && !isUnreachable(user));
  if (!others.some(({ user }) => hasEverything(user))) {
    plan.refused.push({
      user: 'default',
      why: 'nobody else may do everything: it would lock everybody out. Make an admin first',
    });
    return;
  }
  const need = needs.find(({ user }) => user === 'default');
  if (need !== undefined) {
    plan.refused.push({ user: 'default', why: `${need.who} as default: give it a user of its own first` });
    return;
  }
  if (connected === undefined) {
    plan.refused.push({
      user: 'default',
      why: 'who is connected as default cannot be seen: whoever asks may not list the clients (+client|list)',
    });
    return;
  }
  if (connected.has('default')) {
    plan.refused.push({
      user: 'default',
      why: 'clients are connected as default: give them users of their own first',
    });
    return;
  }
  const channels = engine.engine === 'valkey' || atLeastVersion(engine.version, '6.2') ? ['&*'] : [];
  plan.changes.push({
    user: 'default',
    isNew: false,
    words: ['off', 'resetpass', '~*', ...channels, '+@all'],
    why: 'nobody needs default, and a new connection is default until it logs in',
    undo: undefined,
  });
}

/** Nobody gets in as it, and an AOF replays. */
export function isClosed(user: AclUser): boolean {
  return !user.enabled && hasEverything(user) && user.hashes.size === 0 && !user.noPassword;
}

/** Everything but passwords and the switch, in the same command, so that there is no moment in between. */
export function fromScratch(engine: EngineVersion): string[] {
  const channels =
    engine.engine === 'valkey' || atLeastVersion(engine.version, '6.2') ? ['resetchannels'] : [];
  return [...(hasSelectors(engine) ? ['clearselectors'] : []), 'resetkeys', ...channels, '-@all'];
}

function some(words: readonly string[]): string {
  return words.slice(0, 5).join(', ') + (words.length > 5 ? ` and ${words.length - 5} more` : '');
}
