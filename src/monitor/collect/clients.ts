import type { ClientGroup } from '../../domain/sample.ts';
import { gone } from '../../formats/clients/client-list.ts';
import type { Collector } from './parts/collector.ts';
import { finite, shortened, textOf } from './parts/numbers.ts';
import { ownName } from './slowlog.ts';

/** The list costs the server more than a microsecond a client: past this many it is left out. */
const mostClients = 5000;
const mostGroups = 100;

/** Who is connected, by address and name. */
export const clientsCollector: Collector = {
  name: 'clients',
  rights: ['+client|list'],
  every: 300_000,
  frugal: null,
  applies: ({ mode, clients }) => mode !== 'sentinel' && clients <= mostClients,
  commands: () => [['CLIENT', 'LIST']],
  read([reply], draft) {
    draft.clients = groupClients(textOf(reply));
  },
};

/** Of CLIENT LIST: groups by address and name, the largest first, the rest as one. Own connections are left out. */
function groupClients(list: string): ClientGroup[] {
  const groups = new Map<string, ClientGroup>();
  for (const line of list.split('\n').slice(0, mostClients)) {
    const fields = new Map<string, string>();
    for (const part of line.trim().split(' ')) {
      const equals = part.indexOf('=');
      if (equals > 0) fields.set(part.slice(0, equals), part.slice(equals + 1));
    }
    const name = shortened(fields.get('name') ?? '', 60);
    if (!fields.has('addr') || fields.get('addr') === gone || name === ownName) continue;
    // A port tells nothing; a path of a socket ends in `:0`.
    const address = shortened((fields.get('addr') ?? '').replace(/:\d+$/, ''));
    const key = `${address}\0${name}`;
    const group = groups.get(key) ?? {
      address,
      name,
      user: shortened(fields.get('user') ?? '', 60),
      count: 0,
      blocked: 0,
      idle: 0,
      memory: 0,
    };
    group.count += 1;
    group.blocked += (fields.get('flags') ?? '').includes('b') ? 1 : 0;
    group.idle = Math.max(group.idle, finite(fields.get('idle')) ?? 0);
    group.memory += finite(fields.get('tot-mem')) ?? 0;
    groups.set(key, group);
  }
  const sorted = [...groups.values()].toSorted((a, b) => b.count - a.count);
  const rest = sorted.slice(mostGroups);
  if (rest.length === 0) return sorted;
  const other = { address: 'other', name: '', user: '', count: 0, blocked: 0, idle: 0, memory: 0 };
  for (const { count, blocked, idle, memory } of rest) {
    other.count += count;
    other.blocked += blocked;
    other.memory += memory;
    other.idle = Math.max(other.idle, idle);
  }
  return [...sorted.slice(0, mostGroups), other];
}
