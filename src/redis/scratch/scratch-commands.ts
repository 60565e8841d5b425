import { randomBytes } from 'node:crypto';

/** What we send ourselves, under a name that nothing which is loaded can know. */
export interface OwnNames {
  REPLICAOF: string;
  SAVE: string;
}

/**
 * What acts on the server or its host and all versions since 6.0 have; one that a version does not know would keep it from
 * starting. An append only file runs what it holds, so they are taken away before it is loaded: settings such as
 * enable-module-command do not count meanwhile, and those of 6.0 do not know them.
 */
const takenAway = [
  'MODULE',
  'CONFIG',
  'DEBUG',
  'ACL',
  'MIGRATE',
  'SLAVEOF',
  'SHUTDOWN',
  'BGSAVE',
  'BGREWRITEAOF',
  'MONITOR',
  'SYNC',
  'PSYNC',
];

/** Directives that leave a scratch server no command that reaches beyond its data, but to us. */
export function withoutCommands(): { directives: string[]; names: OwnNames } {
  const names = { REPLICAOF: hidden(), SAVE: hidden() };
  const renamed = [...takenAway.map((name) => [name, '']), ...Object.entries(names)];
  return { directives: renamed.flatMap((pair) => ['--rename-command', ...pair]), names };
}

function hidden(): string {
  return `own${randomBytes(16).toString('hex')}`;
}
