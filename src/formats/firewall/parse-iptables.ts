import { holds, parseNetwork, type Network } from './network.ts';
import type { Chain, Match, Packet, Rule, Table, Verdict } from './walk.ts';

const hooks = { PREROUTING: 'prerouting', INPUT: 'input', FORWARD: 'forward' } as const;
const priorities: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  nat: -100,
  filter: 0,
  security: 50,
};
const unknown: Match = () => undefined;

/** What iptables-save or ip6tables-save prints. */
export function parseIptables(text: string, family: 'ip' | 'ip6'): Table[] {
  const tables: Table[] = [];
  for (const line of text.split('\n')) {
    const table = tables.at(-1);
    if (line.startsWith('*')) tables.push({ family, name: line.slice(1), chains: new Map(), sources: [] });
    else if (table !== undefined && line.startsWith(':')) declare(table, line);
    else if (table !== undefined && line.startsWith('-A ')) append(table, line);
  }
  return tables;
}

function declare({ name: table, chains }: Table, line: string): void {
  const [name = '', policy = '-'] = line.slice(1).split(' ');
  const hook = Object.entries(hooks).find(([key]) => key === name)?.[1];
  const base: Chain['base'] =
    hook === undefined
      ? undefined
      : {
          type: table === 'nat' ? 'nat' : 'filter',
          hook,
          priority: priorities[table] ?? 0,
          policy: policy === 'DROP' ? 'drop' : 'accept',
        };
  chains.set(name, { rules: [], base });
}

function append(table: Table, line: string): void {
  const words = [...line.matchAll(/"((?:\\.|[^"])*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
  const [, chain = '', ...rest] = words;
  table.chains.get(chain)?.rules.push(readRule(rest, table.sources));
}

function readRule(words: readonly string[], sources: Network[]): Rule {
  const matches: Match[] = [];
  const rule: Rule = { matches, verdict: { do: 'next' } };
  let not = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '!') {
      not = true;
      continue;
    }
    if (word === '-j' || word === '-g') {
      rule.verdict = readVerdict(word, words.slice(at + 1));
      break;
    }
    const { match, took } = readOption(word, words.slice(at + 1), sources);
    if (match !== undefined) matches.push(not ? negate(match) : match);
    not = false;
    at += took;
  }
  return rule;
}

export function negate(match: Match): Match {
  return (packet) => {
    const said = match(packet);
    return said === undefined ? undefined : !said;
  };
}

const one = (match: Match | undefined): { match: Match | undefined; took: number } => ({ match, took: 1 });

/** The match, if it decides anything, and how many words follow the option. */
function readOption(
  option: string,
  rest: readonly string[],
  sources: Network[],
): { match: Match | undefined; took: number } {
  const value = rest[0] ?? '';
  switch (option) {
    case '-m':
    case '--comment':
      return one(undefined);
    case '-p':
      return one(value === 'tcp' || value === 'all' || value === '6' ? () => true : () => false);
    case '-s':
    case '--source':
      return one(fromOneOf(value, sources));
    case '-d':
    case '--destination':
      return one(toOneOf(value));
    case '-i':
      return one(named(value, (packet) => packet.in));
    case '-o':
      return one(named(value, (packet) => packet.out));
    case '--dport':
    case '--dports':
    case '--destination-ports':
      return one(portIn(value, (packet) => packet.port));
    case '--ctorigdstport':
      return one(portIn(value, (packet) => packet.asked));
    case '--ctdir':
      return one(() => value === 'ORIGINAL');
    case '--ctstate':
    case '--state':
      return one(() => value.split(',').includes('NEW'));
    case '--dst-type':
      return one(value === 'LOCAL' ? ({ to }) => to === undefined || isLoopback(to) : unknown);
    case '--tcp-flags':
      return { match: unknown, took: 2 };
    case '--syn':
      return { match: () => true, took: 0 };
    default: {
      const next = rest.findIndex((word) => /^(?:-|!$)/.test(word));
      return { match: unknown, took: next === -1 ? rest.length : next };
    }
  }
}

export function fromOneOf(list: string, sources: Network[]): Match {
  const networks = list.split(',').map(parseNetwork);
  sources.push(...networks.filter((each) => each !== undefined));
  return ({ from }) => {
    if (networks.some((network) => network !== undefined && holds(network, from))) return true;
    return networks.includes(undefined) ? undefined : false;
  };
}

/** Which of its own addresses a client asks for, nobody knows: never one that only this host reaches. */
export function toOneOf(list: string): Match {
  const networks = list.split(',').map(parseNetwork);
  return ({ to }) => {
    if (to !== undefined) return networks.some((network) => network !== undefined && holds(network, to));
    const loopback = list.split(',').every((each) => /^(?:127\.|::1(?:\/|$))/.test(each));
    return loopback ? false : undefined;
  };
}

const loopbacks = ['127.0.0.0/8', '::1'].map(parseNetwork);

function isLoopback(network: Network): boolean {
  return loopbacks.some((each) => each !== undefined && holds(each, network));
}

export function named(pattern: string, read: (packet: Packet) => string | undefined): Match {
  return (packet) => {
    const name = read(packet);
    if (name === undefined) return undefined;
    return /[+*]$/.test(pattern) ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  };
}

function portIn(list: string, read: (packet: Packet) => number): Match {
  const ranges = list.split(',').map((each) => each.split(':').map(Number));
  return (packet) =>
    ranges.some(([first = 0, last = first]) => first <= read(packet) && read(packet) <= last);
}

function readVerdict(option: string, [target = '', ...rest]: readonly string[]): Verdict {
  switch (target) {
    case 'ACCEPT':
      return { do: 'accept' };
    case 'DROP':
    case 'REJECT':
      return { do: 'drop' };
    case 'RETURN':
      return { do: 'return' };
    case 'DNAT':
      return sendTo(rest[rest.indexOf('--to-destination') + 1] ?? '');
    case 'LOG':
    case 'NFLOG':
    case 'MARK':
    case 'CONNMARK':
    case 'TCPMSS':
    case 'CT':
      return { do: 'next' };
    default:
      return { do: option === '-g' ? 'goto' : 'jump', chain: target };
  }
}

function sendTo(text: string): Verdict {
  const [, address, port] = /^\[?([\d.]+|[\da-f:]+?)\]?(?::(\d+))?$/i.exec(text) ?? [];
  if (address === undefined) return { do: 'unknown' };
  return { do: 'send', to: address, port: port === undefined ? undefined : Number(port) };
}
