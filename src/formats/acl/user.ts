/** A key pattern and what may be done with the keys that it fits. */
export interface KeyGrant {
  pattern: string;
  read: boolean;
  write: boolean;
}

/** Rights that hold together: those of the user itself, or of one selector. */
export interface Grants {
  allKeys: boolean;
  keys: KeyGrant[];
  allChannels: boolean;
  channels: string[];
  /** `+@all`, and nothing taken away since: future commands too. */
  allCommands: boolean;
  commands: Set<string>;
  /** `+select|0` of a command that has no subcommands: only with that first word. */
  firstWords: Map<string, Set<string>>;
  /** Databases (Valkey 9.1); undefined: all. */
  databases: string | undefined;
}

/** A user, as the rules make it. */
export interface AclUser {
  name: string;
  enabled: boolean;
  /** Any password is right. */
  noPassword: boolean;
  /** SHA-256, as the server keeps them. */
  hashes: Set<string>;
  own: Grants;
  selectors: Grants[];
}

export function noGrants(): Grants {
  return {
    allKeys: false,
    keys: [],
    allChannels: false,
    channels: [],
    allCommands: false,
    commands: new Set(),
    firstWords: new Map(),
    databases: undefined,
  };
}

/** Commands that need no right: a client could not even log in without. */
const free = new Set(['auth', 'hello', 'quit', 'reset']);

/** May the user run it on some key? `command` as `get` or `config|get`. */
export function mayRun(user: AclUser, command: string): boolean {
  const name = command.toLowerCase();
  if (free.has(name)) return true;
  return [user.own, ...user.selectors].some((grants) => grants.allCommands || grants.commands.has(name));
}

/** May anybody who knows the name log in? */
export function isOpen({ enabled, noPassword }: AclUser): boolean {
  return enabled && noPassword;
}

/** Nobody can: it is on, has no password, and wants one. */
export function isUnreachable({ enabled, noPassword, hashes }: AclUser): boolean {
  return enabled && !noPassword && hashes.size === 0;
}

/** Everything, as a loader of an AOF must be able to. */
export function hasEverything({ own }: AclUser): boolean {
  return own.allCommands && own.allKeys && own.allChannels && own.databases === undefined;
}

/** What a user may, and whether anybody gets in as it, in one form whatever the words and their order; no password is in it. */
export function rightsOf({ enabled, noPassword, hashes, own, selectors }: AclUser): string {
  return JSON.stringify([enabled, noPassword, hashes.size > 0, formOf(own), selectors.map(formOf)]);
}

function formOf(grants: Grants): unknown[] {
  return [
    grants.allKeys
      ? '*'
      : grants.keys.map(({ pattern, read, write }) => `${read} ${write} ${pattern}`).toSorted(),
    grants.allChannels ? '*' : grants.channels.toSorted(),
    grants.allCommands ? '*' : [...grants.commands].toSorted(),
    [...grants.firstWords]
      .flatMap(([command, words]) => [...words].map((word) => `${command}|${word}`))
      .toSorted(),
    grants.databases ?? '*',
  ];
}
