/** Older and newer names of one directive: every server that has both treats them as one. */
const pairs: readonly (readonly [name: string, ...others: string[]])[] = [
  ['replicaof', 'slaveof'],
  ['replica-read-only', 'slave-read-only'],
  ['replica-serve-stale-data', 'slave-serve-stale-data'],
  ['replica-priority', 'slave-priority'],
  ['replica-announce-ip', 'slave-announce-ip'],
  ['replica-announce-port', 'slave-announce-port'],
  ['replica-ignore-maxmemory', 'slave-ignore-maxmemory'],
  ['replica-lazy-flush', 'slave-lazy-flush'],
  ['min-replicas-to-write', 'min-slaves-to-write'],
  ['min-replicas-max-lag', 'min-slaves-max-lag'],
  ['cluster-replica-validity-factor', 'cluster-slave-validity-factor'],
  ['cluster-replica-no-failover', 'cluster-slave-no-failover'],
  ['hash-max-listpack-entries', 'hash-max-ziplist-entries'],
  ['hash-max-listpack-value', 'hash-max-ziplist-value'],
  ['list-max-listpack-size', 'list-max-ziplist-size'],
  ['zset-max-listpack-entries', 'zset-max-ziplist-entries'],
  ['zset-max-listpack-value', 'zset-max-ziplist-value'],
  ['busy-reply-threshold', 'lua-time-limit'],
  ['masterauth', 'primaryauth'],
  ['masteruser', 'primaryuser'],
  ['socket-mark-id'],
];

const canonical = new Map(pairs.flatMap(([name, ...others]) => others.map((other) => [other, name])));

/** The name under which a directive is compared, whatever it is called in the file. */
export function canonicalName(name: string): string {
  return canonical.get(name) ?? name;
}

/** The other names of a directive, the newest first. */
export function namesOf(name: string): readonly string[] {
  return pairs.find((names) => names.includes(name))?.filter((other) => other !== name) ?? [];
}

/** Directives whose mentions add up instead of replacing one another. */
export const additive: ReadonlySet<string> = new Set([
  'save',
  'user',
  'include',
  'loadmodule',
  'rename-command',
  'client-output-buffer-limit',
  'sentinel',
]);
