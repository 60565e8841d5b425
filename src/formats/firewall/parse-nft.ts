import { fromOneOf, named, negate, toOneOf } from './parse-iptables.ts';
import type { Network } from './network.ts';
import type { Chain, Match, Packet, Rule, Table, Verdict } from './walk.ts';

type Json = Record<string, unknown>;

const unknown: Match = () => undefined;
const hooks = ['prerouting', 'input', 'forward'] as const;
const harmless = new Set(['counter', 'log', 'mangle', 'notrack', 'ct helper', 'flow']);

/** What `nft -j list ruleset` prints. Throws where it is no such document. */
export function parseNft(text: string): Table[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked through below
  const items = (JSON.parse(text) as { nftables: Json[] }).nftables;
  const tables = new Map<string, Table>();
  const sets = new Map<string, unknown[]>();
  const keyOf = ({ family, table, name }: Json): string => `${String(family)} ${String(table ?? name)}`;
  for (const { table, set } of items.map(entries)) {
    if (table !== undefined && isFamily(table['family']))
      tables.set(keyOf(table), {
        family: table['family'],
        name: String(table['name']),
        chains: new Map(),
        sources: [],
      });
    if (set !== undefined && Array.isArray(set['elem']))
      sets.set(`${keyOf(set)} ${String(set['name'])}`, set['elem']);
  }
  for (const { chain } of items.map(entries))
    if (chain !== undefined)
      tables.get(keyOf(chain))?.chains.set(String(chain['name']), { rules: [], base: baseOf(chain) });
  for (const { rule } of items.map(entries)) {
    const table = rule && tables.get(keyOf(rule));
    if (rule === undefined || table === undefined || !Array.isArray(rule['expr'])) continue;
    const lookUp = (name: string): unknown[] => sets.get(`${keyOf(rule)} ${name}`) ?? [];
    table.chains
      .get(String(rule['chain']))
      ?.rules.push(readRule(rule['expr'].filter(isObject), { sources: table.sources, lookUp }));
  }
  return [...tables.values()];
}

interface Known {
  sources: Network[];
  lookUp: (set: string) => unknown[];
}

function entries(item: Json): Partial<Record<'table' | 'chain' | 'rule' | 'set', Json>> {
  return Object.fromEntries(
    Object.entries(item).flatMap(([name, value]) => (isObject(value) ? [[name, value] as const] : [])),
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFamily(value: unknown): value is Table['family'] {
  return value === 'ip' || value === 'ip6' || value === 'inet';
}

function baseOf({ type, hook, prio, policy }: Json): Chain['base'] {
  const at = hooks.find((each) => each === hook);
  if (at === undefined || (type !== 'filter' && type !== 'nat')) return undefined;
  return { type, hook: at, priority: Number(prio ?? 0), policy: policy === 'drop' ? 'drop' : 'accept' };
}

function readRule(expressions: readonly Json[], known: Known): Rule {
  const matches: Match[] = [];
  let verdict: Verdict = { do: 'next' };
  for (const expression of expressions) {
    const [word = '', value] = Object.entries(expression)[0] ?? [];
    const said = verdictOf(word, value);
    if (said !== undefined) verdict = said;
    else if (word === 'match' && isObject(value)) matches.push(readMatch(value, known));
    else if (word === 'vmap' && isObject(value)) {
      if (!isOfOldOnes(value)) verdict = { do: 'unknown' };
    } else if (!harmless.has(word)) matches.push(unknown);
  }
  return { matches, verdict };
}

function verdictOf(word: string, value: unknown): Verdict | undefined {
  const body = isObject(value) ? value : {};
  switch (word) {
    case 'accept':
    case 'drop':
    case 'return':
      return { do: word };
    case 'reject':
      return { do: 'drop' };
    case 'jump':
    case 'goto':
      return { do: word, chain: String(body['target']) };
    case 'dnat':
      return typeof body['addr'] === 'string'
        ? {
            do: 'send',
            to: body['addr'],
            port: typeof body['port'] === 'number' ? body['port'] : undefined,
          }
        : { do: 'unknown' };
    case 'redirect':
      return { do: 'unknown' };
    case 'xt':
      return body['type'] === 'target' ? { do: 'unknown' } : undefined;
    default:
      return undefined;
  }
}

/** `ct state vmap { established : accept, … }` that says nothing of new connections. */
function isOfOldOnes({ key, data }: Json): boolean {
  const pairs = isObject(data) && Array.isArray(data['set']) ? data['set'] : [];
  return (
    JSON.stringify(key).includes('"state"') &&
    pairs.length > 0 &&
    pairs.every((pair) => !JSON.stringify(pair).includes('"new"'))
  );
}

function readMatch({ op, left, right }: Json, known: Known): Match {
  const match = compare(isObject(left) ? left : {}, valuesOf(right, known), known.sources);
  if (op === '!=') return negate(match);
  return op === '==' || op === 'in' ? match : unknown;
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function compare(left: Json, values: readonly unknown[], sources: Network[]): Match {
  const [word = '', body] = Object.entries(left)[0] ?? [];
  const field = isObject(body)
    ? `${word} ${wordOf(body['protocol'])} ${wordOf(body['field'] ?? body['key'])}`
    : word;
  switch (field.replaceAll(/ +/g, ' ')) {
    case 'payload ip saddr':
    case 'payload ip6 saddr':
      return fromOneOf(networksOf(values), sources);
    case 'payload ip daddr':
    case 'payload ip6 daddr':
      return toOneOf(networksOf(values));
    case 'payload tcp dport':
    case 'payload th dport':
      return ({ port }) => values.some((value) => spans(value, port));
    case 'payload udp dport':
    case 'payload icmp type':
    case 'payload icmpv6 type':
      return () => false;
    case 'meta iifname':
    case 'meta iif':
      return oneOf(values, (packet) => packet.in);
    case 'meta oifname':
    case 'meta oif':
      return oneOf(values, (packet) => packet.out);
    case 'meta l4proto':
    case 'payload ip protocol':
    case 'payload ip6 nexthdr':
      return () => values.includes('tcp') || values.includes(6);
    case 'meta nfproto':
      return ({ from }) => values.includes(from.family === 'ip' ? 'ipv4' : 'ipv6');
    case 'ct state':
      return () => values.includes('new');
    default:
      return unknown;
  }
}

function oneOf(names: readonly unknown[], read: (packet: Packet) => string | undefined): Match {
  const matches = names.map((name) => named(String(name), read));
  return (packet) => {
    const said = matches.map((match) => match(packet));
    if (said.includes(true)) return true;
    return said.includes(undefined) ? undefined : false;
  };
}

function valuesOf(right: unknown, { lookUp }: Known): unknown[] {
  if (typeof right === 'string' && right.startsWith('@')) return lookUp(right.slice(1)).map(element);
  if (Array.isArray(right)) return right.map(element);
  if (isObject(right) && Array.isArray(right['set'])) return right['set'].map(element);
  return [right];
}

/** Elements may carry a timeout or a comment around them. */
function element(value: unknown): unknown {
  return isObject(value) && isObject(value['elem']) ? value['elem']['val'] : value;
}

/** As text that says of each what it is; a range of addresses is not understood. */
function networksOf(values: readonly unknown[]): string {
  return values
    .map((value) => {
      const prefix = isObject(value) && isObject(value['prefix']) ? value['prefix'] : undefined;
      if (prefix !== undefined) return `${String(prefix['addr'])}/${String(prefix['len'])}`;
      return typeof value === 'string' ? value : '?';
    })
    .join(',');
}

function spans(value: unknown, port: number): boolean {
  if (isObject(value) && Array.isArray(value['range'])) {
    const [first, last] = value['range'].map(Number);
    return (first ?? 0) <= port && port <= (last ?? 0);
  }
  return Number(value) === port;
}
