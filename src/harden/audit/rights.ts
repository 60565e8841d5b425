import { mayRun, type AclUser } from '../../formats/acl/user.ts';
import type { AuditFacts, UserFacts } from '../facts.ts';

/** With one of these a user makes itself, or another server, master of this one or its host. */
const takeOver: readonly string[] = [
  'config|set',
  'module|load',
  'replicaof',
  'slaveof',
  'migrate',
  'restore',
  'acl|setuser',
  'acl|load',
  'debug',
  'monitor',
  'client|kill',
];

/** What else a deny-list should not forget. */
export const dangerous: readonly string[] = [
  ...takeOver,
  'config|rewrite',
  'config|resetstat',
  'module|unload',
  'acl|deluser',
  'acl|save',
  'acl|list',
  'acl|getuser',
  'client|list',
  'client|pause',
  'sync',
  'psync',
  'replconf',
  'save',
  'bgsave',
  'bgrewriteaof',
  'shutdown',
  'failover',
  'flushall',
  'flushdb',
  'swapdb',
  'keys',
  'sort',
  'latency|reset',
  'slowlog|get',
  'slowlog|reset',
  'cluster|reset',
  'script|kill',
];

export const scripting: readonly string[] = ['eval', 'evalsha', 'script|load', 'fcall', 'function|load'];

/** Where a server has no subcommands of its own (up to 6.2), the right is to the whole command. */
const older = (command: string): string => command.split('|')[0] ?? command;

/** By DRYRUN where that could be asked, else by the rules. */
export function runs(facts: AuditFacts, user: AclUser, command: string): boolean {
  const asked = facts.server.value?.dryrun.value?.get(user.name)?.get(command);
  return asked ?? (mayRun(user, command) || (isOlder(facts) && mayRun(user, older(command))));
}

function isOlder({ engine }: AuditFacts): boolean {
  return engine.engine === 'redis' && /^[0-6]\./.test(`${engine.version}.`);
}

export function takesOver(facts: AuditFacts, user: AclUser): string[] {
  return takeOver.filter((command) => runs(facts, user, command));
}

/** `ACL DRYRUN`, or how else the rights are known. */
export function rightsProof(facts: AuditFacts): string {
  if (facts.server.value?.dryrun.value !== undefined) return 'ACL DRYRUN, and the rules evaluated';
  return facts.mode === 'files' ? 'the rules of the file, evaluated' : 'the rules of ACL LIST, evaluated';
}

const staffNames =
  /^(?:admin|administrator|root|ops|operator|dba|superuser|redis-agent|agent|backup|replica|replication|repl|sentinel|exporter|redis_exporter|monitor|monitoring)(?:$|[-_.\d])/i;

/** Users that applications log in as: not those of people, the agent, replicas, Sentinels and exporters. */
export function applications(facts: AuditFacts, users: readonly UserFacts[]): UserFacts[] {
  const { username, staff } = facts.agent;
  return users.filter(
    ({ user }) =>
      user.enabled && user.name !== username && !staff.includes(user.name) && !staffNames.test(user.name),
  );
}

/** Those that have a name of their own for a purpose. */
export function isStaff(facts: AuditFacts, name: string): boolean {
  return name === facts.agent.username || facts.agent.staff.includes(name) || staffNames.test(name);
}

/** How the users are known. */
export function usersProof(facts: AuditFacts): string {
  return facts.mode === 'files' ? 'the rules of the file, evaluated' : 'ACL LIST';
}

/** `+@all` with a list of what is not allowed: what nobody thought of stays open. */
export function isDenyList(user: AclUser): boolean {
  return user.own.commands.size > 150;
}
