import { atLeastVersion } from '../conf/engine.ts';
import type { AclContext } from './acl-context.ts';
import type { CommandTable } from './command-table.ts';
import type { Grants } from './user.ts';

/** `+get`, `-@dangerous`, `+config|get`: undefined when it was applied, else why the server refuses it. */
export function changeCommands(
  grants: Grants,
  rule: string,
  table: CommandTable,
  context: AclContext,
): string | undefined {
  const allow = rule.startsWith('+');
  const name = rule.slice(1).toLowerCase();
  if (name.startsWith('@')) return changeCategory(grants, name.slice(1), allow, table, context);
  const [container = '', sub, ...more] = name.split('|');
  if (sub !== undefined && (sub === '' || more.length > 0))
    return 'a subcommand is written +command|subcommand';
  if (!table.categories.has(container)) {
    if (context.lenient !== true) return `${container} is no command`;
    change(grants, name, allow);
    return undefined;
  }
  if (!allow) grants.allCommands = false;
  const parts = table.subcommands.get(container) ?? [];
  if (sub === undefined) {
    for (const each of [container, ...parts]) change(grants, each, allow);
    grants.firstWords.delete(container);
    return undefined;
  }
  if (table.categories.has(name)) {
    change(grants, name, allow);
    return undefined;
  }
  const seven = context.engine.engine === 'valkey' || atLeastVersion(context.engine.version, '7.0');
  if (!allow)
    return seven
      ? `${name} is no subcommand`
      : 'before Redis 7.0 a subcommand cannot be taken away, only given';
  if (parts.length > 0) return `${name} is no subcommand`;
  if (grants.commands.has(container)) return `${container} is allowed already, with every first word`;
  const words = grants.firstWords.get(container) ?? new Set();
  grants.firstWords.set(container, words.add(sub));
  return undefined;
}

function change(grants: Grants, command: string, allow: boolean): void {
  if (allow) grants.commands.add(command);
  else grants.commands.delete(command);
}

function changeCategory(
  grants: Grants,
  category: string,
  allow: boolean,
  table: CommandTable,
  { lenient }: AclContext,
): string | undefined {
  if (category !== 'all' && !table.allCategories.has(category))
    return lenient === true ? undefined : `@${category} is no category`;
  if (category === 'all') grants.allCommands = allow;
  else if (!allow) grants.allCommands = false;
  for (const [name, categories] of table.categories) {
    if (category !== 'all' && !categories.has(category)) continue;
    change(grants, name, allow);
    grants.firstWords.delete(name);
  }
  return undefined;
}
