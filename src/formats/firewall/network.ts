export interface Network {
  family: 'ip' | 'ip6';
  first: bigint;
  last: bigint;
}

/** An address or a network (`10.0.0.0/8`, `fd00::/8`, `10.0.0.0/255.0.0.0`); undefined where it is neither, as a name is. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', mask] = text.split('/');
  const family = address.includes(':') ? 'ip6' : 'ip';
  const value = family === 'ip' ? parseV4(address) : parseV6(address);
  if (value === undefined) return undefined;
  const width = family === 'ip' ? 32 : 128;
  const bits = mask === undefined ? width : bitsOf(mask);
  if (bits === undefined || bits > width) return undefined;
  const size = 1n << BigInt(width - bits);
  const first = value - (value % size);
  return { family, first, last: first + size - 1n };
}

export function holds(network: Network, other: Network): boolean {
  return network.family === other.family && network.first <= other.first && other.last <= network.last;
}

function bitsOf(mask: string): number | undefined {
  if (/^\d{1,3}$/.test(mask)) return Number(mask);
  const value = parseV4(mask);
  if (value === undefined) return undefined;
  const bits = value.toString(2).padStart(32, '0').replace(/0+$/, '');
  return bits.includes('0') ? undefined : bits.length;
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255))
    return undefined;
  return parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const gap = 8 - head.length - tail.length;
  if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: Math.max(0, gap) }, () => '0'), ...tail];
  if (groups.some((group) => !/^[\da-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}
