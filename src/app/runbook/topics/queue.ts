import { messageOf } from '../../../domain/errors.ts';
import type { QueueReading } from '../../../domain/queue.ts';
import { formatDuration } from '../../../lib/duration.ts';
import { shellWord } from '../../../lib/shell-word.ts';
import { readQueuesNow } from '../../queues/read-queues.ts';
import type { NextStep, Runbook, Sight } from '../report.ts';

export const queueRunbook: Runbook = async ({ app, instance, signal, progress, connection, failure }) => {
  const steps: NextStep[] = [];
  if (connection === undefined)
    return {
      applies: false,
      found: [{ state: 'unknown', text: failure?.message ?? 'it cannot be connected to' }],
      steps: [{ why: 'first this', command: 'redis-agent runbook down', effect: 'looks' }],
    };
  let found: Sight[];
  let applies = false;
  try {
    const { queues, at } = await readQueuesNow(app, instance, { signal, progress, search: true });
    const judged = queues.map(({ reading }) => judge(reading, at));
    applies = judged.some(({ cause }) => cause);
    found = judged.flatMap(({ sights }) => sights);
    for (const { reading } of queues) {
      const { workers, due, label, paused, failed } = reading;
      if (paused)
        steps.push({
          why: `${label} is paused: what has paused it resumes it, in the application (queue.resume())`,
          command: `redis-agent queues show ${shellWord(label)}`,
          effect: 'looks',
        });
      else if (workers === 0 && due > 0)
        steps.push({
          why: `nobody works on ${label}: start its workers; the jobs wait and are not lost`,
          command: `redis-agent queues show ${shellWord(label)}`,
          effect: 'looks',
        });
      if (failed > 0)
        steps.push({
          why: `why jobs of ${label} have failed, by reason`,
          command: `redis-agent queues failed ${shellWord(label)}`,
          effect: 'looks',
        });
    }
    if (queues.length === 0) found = [{ state: 'note', text: 'no queue was found' }];
  } catch (error) {
    found = [{ state: 'unknown', text: messageOf(error) }];
  }
  steps.push(
    { why: 'how it goes on', command: 'redis-agent queues --watch', effect: 'looks' },
    {
      why: 'has a worker lost a right?',
      command: 'redis-agent audit --profile bullmq --user USER',
      effect: 'looks',
    },
  );
  return { applies, found, steps };
};

function judge(reading: QueueReading, now: number): { cause: boolean; sights: Sight[] } {
  const { label, due, workers, paused, dueSince, idleSince, abandoned, failed, overdue } = reading;
  const since = dueSince === null ? '' : `, the oldest for ${formatDuration(now - dueSince)}`;
  const alone = due > 0 && workers === 0 && !paused;
  const stuck = due > 0 && workers !== 0 && !paused && idleSince !== null && now - idleSince > 60_000;
  const sights: Sight[] = [
    {
      state: alone || stuck ? 'cause' : paused && due > 0 ? 'cause' : 'fine',
      text: `${label}: ${due} due${since}, ${workers ?? 'unknown'} workers${paused ? ', paused' : ''}`,
    },
  ];
  if (alone) sights.push({ state: 'cause', text: `${label}: no worker is connected` });
  if (stuck)
    sights.push({
      state: 'cause',
      text: `${label}: workers are connected and have finished nothing for ${formatDuration(now - (idleSince ?? now))}`,
    });
  if ((abandoned ?? 0) > 0)
    sights.push({
      state: 'cause',
      text: `${label}: ${abandoned} active jobs that no worker holds any more (stalled)`,
    });
  if (overdue > 0)
    sights.push({ state: 'note', text: `${label}: ${overdue} delayed jobs should have begun` });
  if (failed > 0) sights.push({ state: 'note', text: `${label}: ${failed} failed jobs are kept` });
  return { cause: alone || stuck || (paused && due > 0) || (abandoned ?? 0) > 0, sights };
}
