import type { EngineVersion } from '../../conf/engine.ts';
import { applyRules } from '../apply-rules.ts';
import { commandTable } from '../command-table.ts';
import type { AclUser, Grants } from '../user.ts';
import type { AclProfile } from './profile.ts';
import { isKnown, profileRules, type ProfileOptions } from './rules.ts';

/** How the rights of a user and the need of a profile lie. */
export interface ProfileVerdict {
  /** What the application will be refused. */
  missing: { commands: string[]; keys: string[]; channels: string[] };
  /** What the user may and the profile does not need. */
  surplus: { commands: string[]; keys: string[]; channels: string[] };
  /** Of what only some uses need: what the user has of it. */
  optional: string[];
  /** The rules of the profile for this server. */
  rules: string[];
}

/** Holds a user against a profile. */
export function judgeUser(
  user: AclUser,
  profile: AclProfile,
  { engine, ...options }: ProfileOptions & { engine: EngineVersion },
): ProfileVerdict {
  const rules = profileRules(profile, engine, options);
  const needed = applyRules(profile.name, rules, { engine, hash: () => '', lenient: true }).user.own;
  const sets = [user.own, ...user.selectors];
  const optional = profile.optional.map(({ command }) => command).filter((each) => isKnown(each, engine));
  const names = namesOf(engine, needed, sets);
  const wide = new Set(optional.flatMap((each) => spread(each, engine)));
  return {
    missing: {
      commands: names.filter((name) => may([needed], name) && !may(sets, name)),
      keys: patterns(needed, 'keys').filter((each) => !sets.some((set) => covers(set, each, 'keys'))),
      channels: patterns(needed, 'channels').filter(
        (each) => !sets.some((set) => covers(set, each, 'channels')),
      ),
    },
    surplus: {
      commands: names.filter((name) => may(sets, name) && !may([needed], name) && !wide.has(name)),
      keys: surplusOf(sets, needed, 'keys'),
      channels: surplusOf(sets, needed, 'channels'),
    },
    optional: optional.filter((each) => spread(each, engine).every((name) => may(sets, name))),
    rules,
  };
}

type Kind = 'keys' | 'channels';

function may(grants: readonly Grants[], name: string): boolean {
  return grants.some((each) => each.allCommands || each.commands.has(name) || hasFirstWord(each, name));
}

/** The commands to ask about: those of the server, and of 6.x the first words that anybody names. */
function namesOf(engine: EngineVersion, needed: Grants, sets: readonly Grants[]): string[] {
  const table = commandTable(engine);
  const words = [needed, ...sets].flatMap(({ firstWords }) =>
    [...firstWords].flatMap(([command, subs]) => [...subs].map((sub) => `${command}|${sub}`)),
  );
  // A container without arguments does nothing; its parts count.
  const own = [...table.categories.keys()].filter((name) => !table.subcommands.has(name));
  const grantable = own.filter((name) => !['auth', 'hello', 'quit', 'reset'].includes(name));
  return [...new Set([...grantable, ...words])].filter((name) => !name.endsWith('|help')).toSorted();
}

function hasFirstWord(grants: Grants, name: string): boolean {
  const [container = '', sub = ''] = name.split('|');
  if (sub === '') return false;
  return grants.firstWords.get(container)?.has(sub) === true || grants.commands.has(container);
}

/** A category’s commands, or the command itself. */
function spread(word: string, engine: EngineVersion): string[] {
  if (!word.startsWith('@')) return [word];
  return [...commandTable(engine).categories]
    .filter(([, categories]) => categories.has(word.slice(1)))
    .map(([name]) => name);
}

/** As in a rule: `~bull:*`, `%R~*`, `&bull:*`. */
function patterns(grants: Grants, kind: Kind): string[] {
  if (kind === 'channels')
    return grants.allChannels ? ['&*'] : grants.channels.map((pattern) => `&${pattern}`);
  if (grants.allKeys) return ['~*'];
  return grants.keys.map(
    ({ pattern, read, write }) => `${read && write ? '' : read ? '%R' : '%W'}~${pattern}`,
  );
}

function surplusOf(sets: readonly Grants[], needed: Grants, kind: Kind): string[] {
  return [...new Set(sets.flatMap((set) => patterns(set, kind)))].filter(
    (each) => !covers(needed, each, kind),
  );
}

/** Is everything that the pattern fits open to these rights? */
function covers(grants: Grants, rule: string, kind: Kind): boolean {
  if (kind === 'channels') {
    if (grants.allChannels) return true;
    return grants.channels.some((pattern) => fits(pattern, rule.slice(1)));
  }
  if (grants.allKeys) return true;
  const [, permission = 'RW', wanted = ''] = /^(?:%([RW]+))?~(.*)$/s.exec(rule) ?? [];
  return permission
    .split('')
    .every((letter) =>
      grants.keys.some(
        ({ pattern, read, write }) => (letter === 'R' ? read : write) && fits(pattern, wanted),
      ),
    );
}

/** Says yes only where it is sure: the same words, or a beginning and a star. */
function fits(pattern: string, wanted: string): boolean {
  if (pattern === wanted || pattern === '*') return true;
  const head = pattern.slice(0, -1);
  return pattern.endsWith('*') && !/[*?[\\]/.test(head) && wanted.startsWith(head);
}
