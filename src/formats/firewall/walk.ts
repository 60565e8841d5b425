import type { Network } from './network.ts';

/** A client's first packet to a port of this host. */
export interface Packet {
  /** A single address. */
  from: Network;
  /** The interface that it comes in by. */
  in: string;
  port: number;
  /** The port that was asked for, which conntrack knows also when a rule has changed it. */
  asked: number;
  /** Where a rule has sent it on to; undefined: to this host itself. */
  to: Network | undefined;
  /** The interface that it leaves by then; undefined: not known. */
  out: string | undefined;
}

/** Undefined: what a rule asks is not known of the packet, or the rule is not understood. */
export type Match = (packet: Packet) => boolean | undefined;

export type Verdict =
  | { do: 'accept' | 'drop' | 'return' | 'next' | 'unknown' }
  | { do: 'jump' | 'goto'; chain: string }
  | { do: 'send'; to: string; port: number | undefined };

export interface Rule {
  matches: Match[];
  verdict: Verdict;
}

export interface Chain {
  rules: Rule[];
  /** Where packets come into it; undefined: only other chains lead there. */
  base:
    | {
        type: 'filter' | 'nat';
        hook: 'prerouting' | 'input' | 'forward';
        priority: number;
        policy: 'accept' | 'drop';
      }
    | undefined;
}

export interface Table {
  family: 'ip' | 'ip6' | 'inet';
  name: string;
  chains: Map<string, Chain>;
  /** Sources that its rules tell from others. */
  sources: Network[];
}

/** What can become of a packet: more than one where something is not known. */
export type Fate = 'accept' | 'drop';

type Step = Fate | 'next' | 'return' | `send ${string} ${string}`;

const deepest = 32;

/** What the rules of this host make of the packet. `leave` says by which interface an address is reached. */
export function walk(
  tables: readonly Table[],
  packet: Packet,
  leave: (to: string) => { to: Network | undefined; out: string | undefined },
): Set<Fate> {
  const fates = new Set<Fate>();
  const arrived = through(tables, 'filter', 'prerouting', packet);
  if (arrived.has('drop')) fates.add('drop');
  if (!arrived.has('accept')) return fates;
  for (const sent of redirect(tables, packet)) {
    if (sent === undefined) add(fates, through(tables, 'filter', 'input', packet));
    else {
      const onward = { ...packet, ...leave(sent.to), port: sent.port ?? packet.port };
      add(fates, through(tables, 'filter', 'forward', onward));
    }
  }
  return fates;
}

/** Where the port leads: undefined is this host itself. */
function redirect(
  tables: readonly Table[],
  packet: Packet,
): ({ to: string; port: number | undefined } | undefined)[] {
  const ends: { to: string; port: number | undefined }[] = [];
  let itself = true;
  for (const { table, chain } of bases(tables, 'nat', 'prerouting', packet)) {
    const steps = [...run(table, chain, packet, 0)].map((step) => step.split(' '));
    const sent = steps.filter(([word]) => word === 'send');
    ends.push(
      ...sent.map(([, to = '', port = '']) => ({ to, port: port === '' ? undefined : Number(port) })),
    );
    if (sent.length === steps.length && sent.length > 0) itself = false;
  }
  return itself ? [undefined, ...ends] : ends;
}

/** A packet has to get through every chain of the hook; a verdict of one does not spare it the next. */
function through(
  tables: readonly Table[],
  type: 'filter' | 'nat',
  hook: 'prerouting' | 'input' | 'forward',
  packet: Packet,
): Set<Fate> {
  let passes = true;
  let stopped = false;
  for (const { table, chain } of bases(tables, type, hook, packet)) {
    const steps = run(table, chain, packet, 0);
    const policy = chain.base?.policy ?? 'accept';
    const ends = new Set([...steps].map((step) => (step === 'drop' || step === 'accept' ? step : policy)));
    if (ends.has('drop')) stopped = true;
    if (!ends.has('accept')) passes = false;
  }
  return new Set<Fate>([...(passes ? (['accept'] as const) : []), ...(stopped ? (['drop'] as const) : [])]);
}

function bases(
  tables: readonly Table[],
  type: 'filter' | 'nat',
  hook: 'prerouting' | 'input' | 'forward',
  { from }: Packet,
): { table: Table; chain: Chain }[] {
  return tables
    .filter(({ family }) => family === 'inet' || family === from.family)
    .flatMap((table) => [...table.chains.values()].map((chain) => ({ table, chain })))
    .filter(({ chain: { base } }) => base?.type === type && base.hook === hook)
    .toSorted((a, b) => (a.chain.base?.priority ?? 0) - (b.chain.base?.priority ?? 0));
}

function run(table: Table, chain: Chain, packet: Packet, depth: number): Set<Step> {
  const steps = new Set<Step>();
  if (depth > deepest) return new Set(['accept', 'drop']);
  for (const { matches, verdict } of chain.rules) {
    const said = matches.map((match) => match(packet));
    if (said.includes(false)) continue;
    const after = apply(table, verdict, packet, depth);
    if (said.includes(undefined)) after.add('next');
    const goesOn = after.delete('next');
    add(steps, after);
    if (!goesOn) return steps;
  }
  steps.add('next');
  return steps;
}

function apply(table: Table, verdict: Verdict, packet: Packet, depth: number): Set<Step> {
  switch (verdict.do) {
    case 'jump':
    case 'goto': {
      const target = table.chains.get(verdict.chain);
      if (target === undefined) return new Set(['accept', 'drop', 'next']);
      const steps = run(table, target, packet, depth + 1);
      const end = verdict.do === 'jump' ? 'next' : 'return';
      if (steps.delete('return') || steps.has('next')) {
        steps.delete('next');
        steps.add(end);
      }
      return steps;
    }
    case 'send':
      return new Set([`send ${verdict.to} ${verdict.port ?? ''}` as const]);
    case 'unknown':
      return new Set(['accept', 'drop', 'next']);
    case 'accept':
    case 'drop':
    case 'return':
    case 'next':
      return new Set([verdict.do]);
    default:
      return new Set();
  }
}

function add<T>(all: Set<T>, more: Iterable<T>): void {
  for (const each of more) all.add(each);
}
