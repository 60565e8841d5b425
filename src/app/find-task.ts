import { AgentError } from '../domain/errors.ts';
import type { TaskStanding } from '../jobs/maintain/read-tasks.ts';
import { closest } from '../lib/text/closest.ts';

/** Throws an AgentError `usage` that names the nearest. */
export function findTask(standings: readonly TaskStanding[], id: string): TaskStanding {
  const found = standings.find(({ task }) => task.id === id);
  if (found !== undefined) return found;
  const near = closest(
    id,
    standings.map(({ task }) => task.id),
  );
  throw new AgentError('usage', `there is no task ${JSON.stringify(id)}`, {
    hint: near === undefined ? 'see: redis-agent maintenance list' : `did you mean ${near}?`,
  });
}
