import { counted } from '../../../lib/text/counted.ts';
import type { DumpRules, PassedKeys } from './dump-rules.ts';

/** What servers live with in a dump, for people and for programs. */
export interface PassedOver {
  empty: PassedKeys;
  stale_streams: PassedKeys;
}

export function passedOver({ empty, staleStreams }: DumpRules): PassedOver {
  return { empty, stale_streams: staleStreams };
}

/**
 * One sentence for each thing that servers live with, and which way works then. Names are as they are: printing them safely is the
 * printer's part.
 */
export function describePassed({ empty, stale_streams: stale }: PassedOver): string[] {
  const lines: string[] = [];
  if (empty.count > 0)
    lines.push(
      `${nameKeys(empty)} without any element: servers leave ${empty.count === 1 ? 'it' : 'them'} out since 6.2, and every way of restoring works without`,
    );
  if (stale.count > 0)
    lines.push(
      `${nameKeys(stale)} a stream that states another length than it has (Redis 5.0 wrote such): servers load that, but Valkey from 9.1 on does not; into such a one: restore --keys '*' --into`,
    );
  return lines;
}

/** Of a server whose configuration says nothing else. */
const usualDatabases = 16;

/** What a server needs whose dump selects this database, keys or not. */
export function describeDatabases(highest: number): string[] {
  return highest < usualDatabases
    ? []
    : [`it selects database ${highest}: a server with fewer databases does not load it`];
}

function nameKeys({ count, examples }: PassedKeys): string {
  const names = examples.map((name) => JSON.stringify(name)).join(', ');
  if (count === 1) return `key ${names} is`;
  return `${counted(count, 'key is', 'keys are')} (${names}${count > examples.length ? ' …' : ''})`;
}
