import { parseIptables } from './parse-iptables.ts';
import { parseNft } from './parse-nft.ts';
import type { Table } from './walk.ts';

const ofIptables = new Set(['filter', 'nat', 'mangle', 'raw', 'security']);

/**
 * All rules of a host, of what `iptables-save`, `ip6tables-save` and `nft -j list ruleset` have printed. nft shows the tables of
 * iptables too, without what it does not know of them (where DNAT leads to): those are taken from iptables.
 */
export function readRulesets({
  iptables,
  ip6tables,
  nft,
}: Record<'iptables' | 'ip6tables' | 'nft', string>): Table[] {
  const old = [...parseIptables(iptables, 'ip'), ...parseIptables(ip6tables, 'ip6')];
  const isOld = ({ family, name }: Table): boolean =>
    ofIptables.has(name) && old.some((table) => table.family === family && table.name === name);
  const tables = nft.trim() === '' ? [] : parseNft(nft);
  return [...old, ...tables.filter((table) => !isOld(table))];
}
