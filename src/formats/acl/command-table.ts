import type { EngineVersion } from '../conf/engine.ts';
import { witnessesFor } from '../conf/probed-servers.ts';
import table from './commands.json' with { type: 'json' };

/** The commands of one server: names in lower case, subcommands as `config|get` (7.0+), each with its categories. */
export interface CommandTable {
  categories: ReadonlyMap<string, ReadonlySet<string>>;
  /** By container: `config` → `config|get` … */
  subcommands: ReadonlyMap<string, readonly string[]>;
  allCategories: ReadonlySet<string>;
  /** False: no server of this line was asked, and the nearest one speaks for it. */
  probed: boolean;
}

const entries: Record<string, { on: number[]; categories: string }[]> = table.entries;
const made = new Map<string, CommandTable>();

/** What the servers of that line know. */
export function commandTable(engine: EngineVersion): CommandTable {
  const { exact, below, above } = witnessesFor(table.servers, engine);
  const witness = exact ?? below ?? above ?? 0;
  const key = `${witness} ${exact === undefined}`;
  const known = made.get(key) ?? build(witness, exact !== undefined);
  made.set(key, known);
  return known;
}

function build(server: number, probed: boolean): CommandTable {
  const categories = new Map<string, ReadonlySet<string>>();
  const subcommands = new Map<string, string[]>();
  const allCategories = new Set<string>();
  for (const [name, variants] of Object.entries(entries)) {
    const variant = variants.find(({ on }) => on.includes(server));
    if (variant === undefined) continue;
    const own = variant.categories.split(' ').filter(Boolean);
    own.forEach((category) => allCategories.add(category));
    categories.set(name, new Set(own));
    const [container, sub] = name.split('|');
    if (container === undefined || sub === undefined) continue;
    subcommands.set(container, [...(subcommands.get(container) ?? []), name]);
  }
  return { categories, subcommands, allCategories, probed };
}
