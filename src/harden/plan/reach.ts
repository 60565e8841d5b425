import { holds, parseNetwork, type Network } from '../../formats/firewall/network.ts';
import { walk, type Fate, type Table } from '../../formats/firewall/walk.ts';

/** Of the host around the rules. */
export interface Interfaces {
  name: string;
  /** `192.0.2.10/24` */
  networks: string[];
}

export type Reach =
  /** Somebody gets in who is not to; `who` as in the rules, or anywhere. */
  | { port: number; state: 'open'; who: string[]; container: boolean }
  | { port: number; state: 'closed' | 'unknown'; container: boolean };

/** Addresses that nobody has, for who comes from anywhere. */
const strangers = ['203.0.113.77', '2001:db8:ffff::77'];
const inward = /^(?:lo|docker\d+|br-[\da-f]{6,}|veth.*|virbr\d+|cni.*|podman\d+)$/;

/** Who gets to a port of this host, by the rules that are in force: more than the allowed networks? */
export function judgeReach(
  port: number,
  {
    tables,
    networks,
    interfaces,
  }: { tables: readonly Table[]; networks: readonly string[]; interfaces: readonly Interfaces[] },
): Reach {
  const allowed = networks.map(parseNetwork).filter((each) => each !== undefined);
  const leave = (address: string): { to: Network | undefined; out: string | undefined } => {
    const to = parseNetwork(address);
    const by = interfaces.find(
      (each) =>
        to !== undefined &&
        each.networks.map(parseNetwork).some((own) => own !== undefined && holds(own, to)),
    );
    return { to, out: by?.name };
  };
  const outward = interfaces.filter(({ name }) => !inward.test(name));
  let container = false;
  const ask = (from: Network, by: string, to: Network | undefined): { fates: Set<Fate>; sent: boolean } => {
    let sent = false;
    const fates = walk(tables, { from, in: by, port, asked: port, to, out: undefined }, (address) => {
      sent = true;
      return leave(address);
    });
    if (sent) container = true;
    return { fates, sent };
  };
  // What is published for this host alone leads to a container all the same.
  for (const { from } of strangersHere(outward))
    for (const { name } of outward) ask(from, name, parseNetwork('127.0.0.1'));
  const local = container;
  const open = new Set<string>();
  let unknown = false;
  for (const { from, name } of sources(tables, allowed, outward))
    for (const by of outward) {
      const { fates, sent } = ask(from, by.name, undefined);
      if (local && !sent) continue;
      if (fates.has('accept') && fates.has('drop')) unknown = true;
      else if (fates.has('accept')) open.add(name);
    }
  if (open.size > 0)
    return { port, state: 'open', who: open.has('anywhere') ? ['anywhere'] : [...open], container };
  return { port, state: unknown ? 'unknown' : 'closed', container };
}

/** Of the families that this host has addresses of, beyond its own link. */
function strangersHere(outward: readonly Interfaces[]): { from: Network; name: string }[] {
  const families = new Set(
    outward
      .flatMap(({ networks }) => networks)
      .filter((each) => !/^fe80:/i.test(each))
      .map((each) => parseNetwork(each)?.family),
  );
  return strangers
    .map(parseNetwork)
    .filter((from) => from !== undefined)
    .filter(({ family }) => families.has(family))
    .map((from) => ({ from, name: 'anywhere' }));
}

/** Anywhere, and both ends of every network that the rules speak of, as far as it is not allowed. */
function sources(
  tables: readonly Table[],
  allowed: readonly Network[],
  outward: readonly Interfaces[],
): { from: Network; name: string }[] {
  const spoken = tables
    .flatMap((table) => table.sources)
    .flatMap((network) =>
      [network.first, network.last].map((value) => ({
        from: { family: network.family, first: value, last: value },
        name: nameOf(network),
      })),
    );
  return [...strangersHere(outward), ...spoken].filter(
    ({ from, name }) => !allowed.some((network) => holds(network, from)) && !name.startsWith('127.'),
  );
}

function nameOf({ family, first, last }: Network): string {
  const width = family === 'ip' ? 32 : 128;
  const bits = width - (last - first + 1n).toString(2).length + 1;
  const address =
    family === 'ip'
      ? [24n, 16n, 8n, 0n].map((shift) => String((first >> shift) % 256n)).join('.')
      : Array.from({ length: 8 }, (_, index) =>
          ((first >> BigInt(112 - 16 * index)) % 65_536n).toString(16),
        ).join(':');
  return bits === width ? address : `${address}/${bits}`;
}
