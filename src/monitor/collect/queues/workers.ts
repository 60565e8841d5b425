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
}

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
      },
    ];
  });
}

export function countWorkers(workers: readonly Worker[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { queue } of workers) counts.set(queue, (counts.get(queue) ?? 0) + 1);
  return counts;
}
