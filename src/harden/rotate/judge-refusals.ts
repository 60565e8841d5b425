import type { Denial } from '../../redis/acl-log.ts';

/** A line of ACL LOG, as it was at one time. */
export interface LoggedRefusal {
  /** undefined before 7.2. */
  id?: string | undefined;
  object: string;
  count: number;
  /** When it was last added to, by our clock; milliseconds. */
  last: number;
}

export interface Refused {
  address: string;
  name: string;
  times: number;
}

/** How far two readings of one line may lie apart: what is refused again within a minute is added to it. */
const sameTime = 5000;

const loginsOf = (log: readonly Denial[], user: string): Denial[] =>
  log.filter((each) => each.reason === 'auth' && each.user === user);

/** What there is already, to be told apart later. */
export function logged(log: readonly Denial[], user: string, now: number): LoggedRefusal[] {
  return loginsOf(log, user).map(({ id, object, count, age = 0 }) => ({
    id,
    object,
    count,
    last: now - age * 1000,
  }));
}

/**
 * Failed logins as that user since `before` was taken. The server adds what comes within a minute to a line that it has: of
 * those only what was added counts.
 */
export function refusedSince(
  before: readonly LoggedRefusal[],
  log: readonly Denial[],
  user: string,
  now: number,
): Refused[] {
  const earlier = new Set(before);
  const isAsItWas = (each: LoggedRefusal, { object, count, age = 0 }: Denial): boolean =>
    each.object === object && each.count === count && Math.abs(each.last - (now - age * 1000)) < sameTime;
  // The oldest first: a line that was added to is older than those that were made since.
  const lines = loginsOf(log, user).toReversed();
  const found: Refused[] = [];
  for (const line of lines.filter((each) => {
    if (each.id !== undefined) return true;
    const same = [...earlier].find((known) => isAsItWas(known, each));
    return same === undefined || !earlier.delete(same);
  })) {
    const { id, object, count, address, name = '' } = line;
    const added = [...earlier].find((known) =>
      id === undefined ? known.object === object && known.count < count : known.id === id,
    );
    if (added !== undefined) earlier.delete(added);
    const times = count - (added?.count ?? 0);
    if (times > 0) found.unshift({ address, name, times });
  }
  return found;
}
