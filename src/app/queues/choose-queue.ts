import { AgentError } from '../../domain/errors.ts';
import { closest } from '../../lib/text/closest.ts';
import { printable } from '../../lib/text/printable.ts';
import { queueLabel, type QueueRef } from '../../domain/queue.ts';
import type { QueueNow } from './read-queues.ts';

/** The queue that a person means: by its whole name, or by what the application calls it. Throws an AgentError `usage`. */
export function chooseQueue(queues: readonly QueueNow[], name: string): QueueNow {
  return choose(queues, ({ reading }) => reading.ref, name);
}

/** The same of those that were found before. */
export function chooseQueueRef(refs: readonly QueueRef[], name: string): QueueRef {
  return choose(refs, (ref) => ref, name);
}

function choose<T>(queues: readonly T[], refOf: (queue: T) => QueueRef, name: string): T {
  const labelOf = (queue: T): string => queueLabel(refOf(queue));
  const exact = queues.find((queue) => labelOf(queue) === name);
  if (exact !== undefined) return exact;
  const called = queues.filter((queue) => refOf(queue).name === name);
  const [only] = called;
  if (only !== undefined && called.length === 1) return only;
  if (called.length > 1)
    throw new AgentError('usage', `several queues are called ${JSON.stringify(printable(name))}`, {
      hint: `write ${called.map((queue) => printable(labelOf(queue))).join(' or ')}`,
    });
  const near = closest(name, [...queues.map(labelOf), ...queues.map((queue) => refOf(queue).name)]);
  throw new AgentError('usage', `there is no queue ${JSON.stringify(printable(name))}`, {
    hint:
      near === undefined
        ? 'redis-agent queues lists them; --search looks for new ones'
        : `did you mean ${printable(near)}?`,
  });
}
