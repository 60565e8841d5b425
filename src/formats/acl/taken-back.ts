import { changeCommands } from './change-commands.ts';
import type { CommandTable } from './command-table.ts';
import { noGrants } from './user.ts';

/** A rule whose effect a later one undoes. */
export interface TakenBack {
  grant: string;
  by: string;
  /** Commands; of keys and channels none. */
  lost: string[];
  /** A denial that a later grant gives back. */
  opposite: boolean;
}

const engine = { engine: 'valkey', version: '99', docker: false } as const;

/** Which rules say something that does not hold at the end, and which later rule is to blame. */
export function findTakenBack(rules: readonly string[], table: CommandTable): TakenBack[] {
  const commands = rules.filter((rule) => /^[+-]/.test(rule) || /^(?:all|no)commands$/i.test(rule));
  const found: TakenBack[] = [];
  for (const [at, rule] of commands.entries()) {
    const word = rule.toLowerCase();
    // What begins a list is meant to be changed after it.
    if (['+@all', '-@all', 'allcommands', 'nocommands'].includes(word)) continue;
    const named = touched(rule, table);
    const allow = rule.startsWith('+');
    const later = commands
      .slice(at + 1)
      .map((other) => ({ other, hit: new Set(touched(other, table)), allows: /^\+|^all/i.test(other) }))
      .findLast(({ hit }) => named.some((name) => hit.has(name)));
    if (later === undefined || later.allows === allow) continue;
    const lost = named.filter((name) => later.hit.has(name));
    // Of a container its parts count: nobody runs SLOWLOG itself.
    const parts = named.filter((name) => name.includes('|') && !name.endsWith('|help'));
    const meant = parts.length > 0 && !word.includes('@') ? parts : named;
    const partial = allow ? !meant.every((name) => later.hit.has(name)) : /^\+[^@]/.test(later.other);
    // `+@read … -keys` and `-@dangerous +info` are how lists are written.
    if (partial || (word.includes('@') && !later.other.includes('@'))) continue;
    found.push({ grant: rule, by: later.other, lost, opposite: !allow });
  }
  return [...found, ...patternsLost(rules)];
}

/** The commands that a rule speaks of, whether it gives or takes them. */
function touched(rule: string, table: CommandTable): string[] {
  const word = rule.toLowerCase();
  const all = word === 'allcommands' || word === 'nocommands';
  const grants = noGrants();
  changeCommands(grants, all ? '+@all' : `+${rule.slice(1)}`, table, {
    engine,
    hash: () => '',
    lenient: true,
  });
  return [...grants.commands];
}

/** `&queue:* resetchannels`: what stood before it is gone. */
function patternsLost(rules: readonly string[]): TakenBack[] {
  return (
    [
      ['&', /^resetchannels$/i],
      ['~', /^resetkeys$/i],
    ] as const
  ).flatMap(([mark, reset]) => {
    const at = rules.findLastIndex((rule) => reset.test(rule));
    return rules
      .slice(0, Math.max(0, at))
      .filter((rule) => rule.startsWith(mark) && rule !== `${mark}*`)
      .map((grant) => ({ grant, by: rules[at] ?? '', lost: [], opposite: false }));
  });
}
