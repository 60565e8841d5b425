import { AgentError } from '../../domain/errors.ts';
import { closest } from '../../lib/closest.ts';
import { printable } from '../../lib/printable.ts';
import type { QueueNow } from './read-queues.ts';

/** The queue that a person means: by its whole name, or by what the application calls it. Throws an AgentError `usage`. */
export function chooseQueue(queues: readonly QueueNow[], name: string): QueueNow {
  const exact = queues.find(({ reading }) => reading.label === name);
  if (exact !== undefined) return exact;
  const called = queues.filter(({ reading }) => reading.ref.name === name);
  const [only] = called;
  if (only !== undefined && called.length === 1) return only;
  const labels = queues.map(({ reading }) => reading.label);
  if (called.length > 1)
    throw new AgentError('usage', `several queues are called ${JSON.stringify(printable(name))}`, {
      hint: `write ${called.map(({ reading }) => printable(reading.label)).join(' or ')}`,
    });
  const near = closest(name, [...labels, ...queues.map(({ reading }) => reading.ref.name)]);
  throw new AgentError('usage', `there is no queue ${JSON.stringify(printable(name))}`, {
    hint:
      near === undefined
        ? 'redis-agent queues lists them; --search looks for new ones'
        : `did you mean ${printable(near)}?`,
  });
}
