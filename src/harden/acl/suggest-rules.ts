import { commandTable } from '../../formats/acl/command-table.ts';
import { aclProfiles } from '../../formats/acl/profiles/index.ts';
import type { AclProfile } from '../../formats/acl/profiles/profile.ts';
import { handshake } from '../../formats/acl/profiles/queues.ts';
import { isKnown } from '../../formats/acl/profiles/rules.ts';
import type { EngineVersion } from '../../formats/conf/engine.ts';
import { mayRun, type AclUser } from '../../formats/acl/user.ts';

/** What was seen of a user’s traffic, without looking at it. */
export interface SeenTraffic {
  /** Commands that its connections were seen at (CLIENT LIST). */
  byUser: ReadonlySet<string>;
  /** Commands that were run meanwhile, by anybody, those of scripts among them (INFO commandstats). */
  byAll: ReadonlySet<string>;
  /** Other users that were connected. */
  others: ReadonlySet<string>;
  /** Commands that the agent runs itself, beside and while it looks. */
  ofAgent: ReadonlySet<string>;
  samples: number;
}

export interface SuggestedRules {
  rules: string[];
  /** The kind of application that it looks like; its profile is granted whole. */
  profile: string | null;
  /** What it rests on, and what it could not have seen; one line each. */
  notes: string[];
}

const free = new Set(['auth', 'hello', 'quit', 'reset']);
/** So much of a profile was seen that it is no chance. */
const enough = 0.3;

/** Does the profile hold everything that was used, and is it what was at work? */
function fits({ commands, name }: AclProfile, used: readonly string[]): boolean {
  const own = commands.filter((each) => !handshake.some((word) => word === each));
  const seen = own.filter((each) => used.includes(each)).length;
  return name !== 'admin' && used.every((each) => commands.includes(each)) && seen >= enough * own.length;
}

function isHarmless(name: string, engine: EngineVersion): boolean {
  const categories = commandTable(engine).categories.get(name);
  return categories !== undefined && !categories.has('admin') && !categories.has('dangerous');
}

const list = (names: readonly string[]): string => names.toSorted().join(', ');

/** A rule from what was seen: no more than the user may do now. */
export function suggestRules(user: AclUser, seen: SeenTraffic, engine: EngineVersion): SuggestedRules {
  const mine = [...seen.byAll].filter((name) => mayRun(user, name));
  const greeting = handshake.filter((name) => mayRun(user, name) && isKnown(name, engine));
  // Of the statistics nobody can tell whether the agent or one of the user's scripts was it.
  const unsure = mine.filter(
    (name) => seen.ofAgent.has(name) && !seen.byUser.has(name) && !greeting.some((word) => word === name),
  );
  const used = [
    ...new Set([...mine.filter((name) => !unsure.includes(name)), ...seen.byUser, ...greeting]),
  ].filter((name) => !free.has(name));
  const profile = aclProfiles
    .filter((each) => fits(each, used))
    .toSorted((a, b) => a.commands.length - b.commands.length)[0];
  // A library does more than it did meanwhile, and its profile knows what.
  const known = profile?.commands.filter((name) => isKnown(name, engine) && !free.has(name)) ?? [];
  const kept = profile === undefined ? unsure.filter((name) => isHarmless(name, engine)) : [];
  const leftOut = unsure.filter((name) => !kept.includes(name) && !known.includes(name));
  const commands = [...new Set([...used, ...known, ...kept])].toSorted();
  const { own } = user;
  const keys = own.allKeys
    ? ['~*']
    : own.keys.map(({ pattern, read, write }) => `${read && write ? '' : read ? '%R' : '%W'}~${pattern}`);
  const channels = own.allChannels ? [] : own.channels.map((pattern) => `&${pattern}`);
  const pubsub = commands.some((name) => /^(?:p|s)?(?:subscribe|publish)$|^spublish$/.test(name));
  return {
    rules: [
      ...keys,
      ...(pubsub && own.allChannels ? ['&*'] : ['resetchannels', ...channels]),
      '-@all',
      ...commands.map((name) => `+${name}`),
    ],
    profile: profile?.name ?? null,
    notes: [
      `${seen.samples} samples of CLIENT LIST, and the growth of INFO commandstats; no command of a client was read`,
      ...(seen.others.size === 0
        ? ['nobody else was connected: every command that was run meanwhile is this user’s']
        : [
            `${[...seen.others].toSorted().join(', ')} were connected too: commands of theirs may be among these`,
          ]),
      'what a client sends to connect (INFO, SELECT, CLIENT SETNAME …) is granted whether it was seen or not',
      ...(kept.length === 0
        ? []
        : [`the agent runs these too, and they are left in, since they are harmless: ${list(kept)}`]),
      ...(leftOut.length === 0
        ? []
        : [
            `the agent runs these too, and they are left out; grant what the application needs: ${list(leftOut)}`,
          ]),
      own.allKeys
        ? 'which keys it uses cannot be seen this way: ~* stays until you write the prefix'
        : 'keys and channels are those that it has',
      'what did not happen meanwhile is missing: monthly jobs, clean-up, error paths, a reconnect with SELECT or SCRIPT LOAD',
      ...(profile === undefined
        ? []
        : [
            `it looks like ${profile.name}, whose whole profile is granted: it is proven by all that its client does`,
          ]),
    ],
  };
}
