import { ICalCalendar } from 'ical-generator';
import type { TaskStanding } from '../jobs/maintain/read-tasks.ts';

/** Due dates as an iCalendar file (RFC 5545), an hour each; the same task keeps its identity from export to export. */
export function renderCalendar(
  instances: readonly { instance: string; tasks: readonly TaskStanding[] }[],
): string {
  const calendar = new ICalCalendar({ name: 'Redis maintenance', prodId: '//redis-agent//maintenance//EN' });
  for (const { instance, tasks } of instances)
    for (const { task, dueAt } of tasks) {
      if (dueAt === null || task.rotation === 'once') continue;
      calendar.createEvent({
        id: `${instance}-${task.id}-${new Date(dueAt).toISOString().slice(0, 10)}@redis-agent`,
        start: new Date(dueAt),
        end: new Date(dueAt + 60 * 60 * 1000),
        summary: `${instance}: ${task.title}`,
        description: [task.why, ...task.steps].join('\n'),
      });
    }
  return calendar.toString();
}
