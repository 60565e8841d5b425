/**
 * Commands that act on the server itself or on its host. No server writes them into its append only file: where one is
 * there, somebody else has put it there to have it run by whoever loads the file. EVAL, SCRIPT, FUNCTION, PFDEBUG, SWAPDB
 * and FLUSHALL are none of them, since servers do write those.
 */
const administrative = [
  'MODULE',
  'CONFIG',
  'DEBUG',
  'ACL',
  'MIGRATE',
  'REPLICAOF',
  'SLAVEOF',
  'SHUTDOWN',
  'SAVE',
  'BGSAVE',
  'BGREWRITEAOF',
  'MONITOR',
  'SYNC',
  'PSYNC',
  'FAILOVER',
  'CLUSTER',
] as const;

const byLength = new Map<number, string[]>();
for (const name of administrative) byLength.set(name.length, [...(byLength.get(name.length) ?? []), name]);

/** Those that a name of so many bytes can be. */
export function administrativeOfLength(length: number): readonly string[] {
  return byLength.get(length) ?? none;
}
const none: readonly string[] = [];

/** By its name, in any case of letters. */
export function isAdministrative(name: string): boolean {
  return administrativeOfLength(name.length).includes(name.toUpperCase());
}

/**
 * The one exception, `CLUSTER SYNCSLOTS`: newer servers tell their replicas by it that slots move, and what replicas are
 * told may come to stand in an append only file.
 */
export const harmlessOf: ReadonlyMap<string, string> = new Map([['CLUSTER', 'SYNCSLOTS']]);
