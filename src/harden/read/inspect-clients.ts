import { gone } from '../../formats/clients/client-list.ts';

export interface InspectedClient {
  from: string;
  /** Which of the server's addresses and ports; undefined: it is not told (before 6.2), and cannot be seen. */
  to: string | undefined;
  port: number | undefined;
  own: boolean;
  /** Whom it has logged in as; undefined: it is not told (before 6.0), or it has not said yet. */
  user: string | undefined;
  kind: 'client' | 'replica' | 'sentinel';
}

/**
 * Pure. Who is connected, by CLIENT LIST; `own`: the id of the connection that asks; `ends`: the server's end of connections by
 * the other one, where that can be seen.
 */
export function inspectClients(
  list: string,
  own: number | undefined,
  ends: ReadonlyMap<string, string> = new Map(),
): InspectedClient[] {
  return list.split('\n').flatMap((line) => {
    const field = (name: string): string | undefined => new RegExp(`(?:^| )${name}=(\\S*)`).exec(line)?.[1];
    const from = field('addr');
    if (from === undefined || from === gone) return [];
    const laddr = field('laddr') ?? (from.startsWith('/') ? from : ends.get(from));
    return [
      {
        from: withoutPort(from),
        to: laddr === undefined ? undefined : withoutPort(laddr),
        port: laddr === undefined ? undefined : Number(/:(\d+)$/.exec(laddr)?.[1] ?? 0),
        own: field('id') === String(own),
        user: isGreeting(field) ? undefined : field('user'),
        kind: (field('flags') ?? '').includes('S')
          ? 'replica'
          : (field('name') ?? '').startsWith('sentinel-')
            ? 'sentinel'
            : 'client',
      },
    ];
  });
}

/** Everybody is `default` until he has logged in: a connection of just now that has sent nothing is about to. */
function isGreeting(field: (name: string) => string | undefined): boolean {
  return field('cmd') === 'NULL' && Number(field('age')) < 2;
}

function withoutPort(address: string): string {
  if (address.startsWith('/')) return '/';
  return address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}
