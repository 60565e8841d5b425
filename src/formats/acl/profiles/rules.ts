import { atLeastVersion, type EngineVersion } from '../../conf/engine.ts';
import { commandTable } from '../command-table.ts';
import type { AclProfile } from './profile.ts';

/** Instead of what the profile has. */
export interface ProfileOptions {
  keys?: readonly string[] | undefined;
  channels?: readonly string[] | undefined;
  /** Commands besides, as in the profile. */
  also?: readonly string[] | undefined;
  /** Commands of it that are left out. */
  without?: readonly string[] | undefined;
}

/** From 7.0 on nobody needs a right to them. */
const free = new Set(['auth', 'hello', 'quit', 'reset']);

/**
 * The rules that make a new user of that server the profile's, without `on` and a password: what the server has not is
 * left out, since it refuses rules about commands that it does not know.
 */
export function profileRules(
  profile: AclProfile,
  engine: EngineVersion,
  options: ProfileOptions = {},
): string[] {
  const without = new Set(options.without);
  const commands = [...profile.commands, ...(options.also ?? [])];
  if (without.size === 0 && commands.includes('@all')) return ['~*', ...channelRules(['*'], engine), '+@all'];
  return [
    ...keyRules(profile, engine, options.keys ?? profile.keys),
    ...channelRules(options.channels ?? profile.channels, engine),
    '-@all',
    ...new Set(commands.filter((each) => !without.has(each)).flatMap((each) => commandRule(each, engine))),
    ...[...without].flatMap((each) => denial(commands, each, engine)),
  ];
}

/** What a category has given is taken away by name. */
function denial(commands: readonly string[], name: string, engine: EngineVersion): string[] {
  const given = commands.some((each) => each.startsWith('@')) && !commands.includes(name);
  return given && commandTable(engine).categories.has(name) ? [`-${name}`] : [];
}

function keyRules({ readOnly }: AclProfile, engine: EngineVersion, keys: readonly string[]): string[] {
  const permissions = readOnly === true && hasSelectors(engine) ? '%R' : '';
  return keys.map((pattern) => `${permissions}~${pattern}`);
}

function channelRules(channels: readonly string[], { engine, version }: EngineVersion): string[] {
  if (engine === 'redis' && !atLeastVersion(version, '6.2')) return [];
  // In 6.2 a new user has all of them.
  return channels.includes('*') ? ['&*'] : ['resetchannels', ...channels.map((pattern) => `&${pattern}`)];
}

function commandRule(word: string, engine: EngineVersion): string[] {
  const deny = word.startsWith('-');
  const name = deny ? word.slice(1) : word;
  if ((free.has(name) && hasSelectors(engine)) || !isKnown(name, engine)) return [];
  return [`${deny ? '-' : '+'}${name}`];
}

/** Has the server such a command or category? */
export function isKnown(name: string, engine: EngineVersion): boolean {
  const table = commandTable(engine);
  if (name.startsWith('@')) return table.allCategories.has(name.slice(1)) || name === '@all';
  if (table.categories.has(name)) return true;
  const [container = '', sub] = name.split('|');
  // Before 7.0 a subcommand is only a first word, which may be any.
  return sub !== undefined && table.categories.has(container) && !table.subcommands.has(container);
}

/** Key permissions and selectors, since 7.0. */
export function hasSelectors({ engine, version }: EngineVersion): boolean {
  return engine === 'valkey' || atLeastVersion(version, '7.0');
}
