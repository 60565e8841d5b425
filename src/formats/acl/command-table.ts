import type { EngineVersion } from '../conf/engine.ts';
import { witnessesFor } from '../conf/probed-servers.ts';
import table from './commands.json' with { type: 'json' };

/** The commands of one server: names in lower case, subcommands as `config|get` (7.0+), each with its categories. */
export interface CommandTable {
  categories: ReadonlyMap<string, ReadonlySet<string>>;
  /** With its name, as COMMAND tells it: a number of arguments, or below zero the least of them. */
  arity: ReadonlyMap<string, number>;
  /** By container: `config` → `config|get` … */
  subcommands: ReadonlyMap<string, readonly string[]>;
  allCategories: ReadonlySet<string>;
  /** False: no server of this line was asked, and the nearest one speaks for it. */
  probed: boolean;
}

const entries: Record<string, { on: number[]; categories: string; arity: number }[]> = table.entries;
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
  const arity = new Map<string, number>();
  const subcommands = new Map<string, string[]>();
  const allCategories = new Set<string>();
  for (const [name, variants] of Object.entries(entries)) {
    const variant = variants.find(({ on }) => on.includes(server));
    if (variant === undefined) continue;
    const own = variant.categories.split(' ').filter(Boolean);
    own.forEach((category) => allCategories.add(category));
    categories.set(name, new Set(own));
    arity.set(name, variant.arity);
    const [container, sub] = name.split('|');
    if (container === undefined || sub === undefined) continue;
    subcommands.set(container, [...(subcommands.get(container) ?? []), name]);
  }
  return { categories, arity, subcommands, allCategories, probed };
}

/** How many arguments that command has, with its name, for any of the servers that were asked. */
export function aritiesOf(name: string): number[] {
  return isKnownSomewhere(name) ? (entries[name] ?? []).map(({ arity }) => arity) : [];
}

/** Does any server that was asked know a command of that name? */
export function isKnownSomewhere(name: string): boolean {
  return Object.hasOwn(entries, name);
}
