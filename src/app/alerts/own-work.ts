import type { OwnWork } from '../../alert/engine/hold.ts';
import { jobs } from '../../jobs/index.ts';
import type { State } from '../../state/db/open.ts';
import { isHeld } from '../../state/locks/lock.ts';
import { lastRun } from '../../state/runs.ts';

/** What a job caused may be seen as over only at a later poll, and a server needs time to be itself again. Milliseconds. */
const aftermath = 90_000;
/** Older work explains nothing any more. */
const remembered = 24 * 60 * 60 * 1000;

/**
 * What the agent's own jobs do to the servers, or did a short time ago. One that died with its process explains nothing
 * after its lock has gone: a server that it left down is told.
 */
export function ownWork(
  state: State,
  { instances, directory }: { instances: readonly string[]; directory: string },
  now: number,
): OwnWork[] {
  const causing = jobs.filter(({ causes = [] }) => causes.length > 0);
  return instances.flatMap((instance) =>
    causing.flatMap(({ name, lock, causes = [] }) => {
      const run = lastRun(state, instance, name);
      if (run === undefined || run.started_at < now - remembered) return [];
      const under = run.finished_at === null && isHeld(directory, { instance, kind: lock });
      const until =
        run.finished_at === null ? (under ? Infinity : run.started_at) : run.finished_at + aftermath;
      return [{ instance, name, rules: causes, from: run.started_at, until }];
    }),
  );
}
