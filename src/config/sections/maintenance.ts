import * as z from 'zod';
import type { MaintenanceSettings } from '../../domain/settings/maintenance.ts';
import { writeDuration } from '../../lib/time/duration.ts';
import { reservedTaskIds } from '../../maintain/tasks/index.ts';
import { duration, schedule, text } from '../fields.ts';
import type { Section } from './section.ts';

const day = 24 * 60 * 60 * 1000;

const task = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'is not a usable name; lower-case letters, digits and -, at most 63')
    .refine(
      (name) => !reservedTaskIds(90 * day).has(name),
      'is a task that there is already; choose another',
    ),
  schedule: schedule.transform((cron, context) => {
    if (cron !== null) return cron;
    context.addIssue({ code: 'custom', message: 'is off; leave the task out instead' });
    return z.NEVER;
  }),
  steps: z.array(text).min(1, 'is empty; say what has to be done'),
});

export const maintenanceSection: Section<MaintenanceSettings> = {
  schema: () =>
    z
      .strictObject({
        password_rotation: duration(day, 3650 * day).default(90 * day),
        benchmark: z.boolean().default(false),
        tasks: z
          .array(task)
          .default([])
          .superRefine((tasks, context) => {
            tasks.forEach(({ name }, index) => {
              if (tasks.findIndex((other) => other.name === name) < index)
                context.addIssue({
                  code: 'custom',
                  path: [index, 'name'],
                  message: 'stands there twice; choose another',
                });
            });
          }),
      })
      .prefault({}),
  show: ({ password_rotation: rotation, ...rest }) => ({
    password_rotation: writeDuration(rotation),
    ...rest,
  }),
  example: `maintenance:
  # How old a password may become: 14, 7 and 1 days before, redis-agent says so.
  password_rotation: 90d
  # Let the monthly performance review time the server as applications use it, and compare with the last time. It
  # writes: keys below redis-agent:check: that expire after a minute; docs/maintenance.md has the rights that it takes.
  benchmark: false
  # Rotations of your own, beside the documented ones (redis-agent maintenance list).
  tasks:
    - name: review-access-list
      schedule: "0 9 1 */6 *"
      steps: ["who may log in to this host, and who should not any more?"]
`,
};
