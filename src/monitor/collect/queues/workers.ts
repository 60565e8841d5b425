/** One connected worker, as CLIENT LIST has it. */
export interface Worker {
  /** `prefix:base64(queue)`, which both libraries call their workers' connections. */
  queue: string;
  /** A name that the application gave it. */
  name: string;
  address: string;
  /** Seconds. */
  idle: number;
  /** It waits for a job in a blocking command. */
  blocked: boolean;
  /** It may be the connection that takes a job: Bull 3 gives all of a queue's the same name, also those that only add. */
  takes: boolean;
}

/** Connections that are named as workers of one queue. */
export interface WorkerCount {
  named: number;
  taking: number;
}

/**
 * What the connection that takes jobs has sent last: it waits for one, or has only said who it is. One that adds, moves or
 * counts them has sent something else.
 */
const takesBy = /^(?:brpoplpush|blmove|client(?:\|setname)?|info|hello|auth|select|NULL)$/i;

export const workerName = (prefix: string, name: string): string =>
  `${prefix}:${Buffer.from(name).toString('base64')}`;

/** The workers among the clients. `:qe` marks who only listens to events. */
export function workersIn(list: string): Worker[] {
  return list.split('\n').flatMap((line): Worker[] => {
    const name = / name=(\S+)/.exec(line)?.[1];
    const [, queue, own = ''] = /^(.+?:[A-Za-z0-9+/]+={0,2})(?::w:(.*))?$/.exec(name ?? '') ?? [];
    if (queue === undefined || name?.endsWith(':qe') === true) return [];
    return [
      {
        queue,
        name: own,
        address: / addr=(\S+)/.exec(line)?.[1] ?? '',
        idle: Number(/ idle=(\d+)/.exec(line)?.[1] ?? 0),
        blocked: / flags=\S*b/.test(line),
        takes: takesBy.test(/ cmd=(\S+)/.exec(line)?.[1] ?? 'NULL'),
      },
    ];
  });
}

export function countWorkers(workers: readonly Worker[]): ReadonlyMap<string, WorkerCount> {
  const counts = new Map<string, WorkerCount>();
  for (const { queue, takes } of workers) {
    const { named, taking } = counts.get(queue) ?? { named: 0, taking: 0 };
    counts.set(queue, { named: named + 1, taking: taking + (takes ? 1 : 0) });
  }
  return counts;
}
