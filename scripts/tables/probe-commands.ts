import type { TestServer } from '../../test/support/servers/redis-server.ts';

/** Names of commands, subcommands as `config|get`, with their ACL categories and arity, as JSON. */
export async function probeCommands(server: TestServer): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  collect(await server.call('COMMAND'), found);
  return found;
}

function collect(reply: unknown, found: Map<string, string>): void {
  if (!Array.isArray(reply)) return;
  for (const entry of reply) {
    if (!Array.isArray(entry)) continue;
    const [name, arity, , , , , categories, , , subcommands] = entry as unknown[];
    const words = Array.isArray(categories) ? categories.map((word) => String(word).replace('@', '')) : [];
    const known = { categories: words.toSorted().join(' '), arity: Number(arity) };
    found.set(String(name).toLowerCase(), JSON.stringify(known));
    collect(subcommands, found);
  }
}
