import * as z from 'zod';
import type { DrillSettings } from '../../domain/settings/drill.ts';
import { writeDuration } from '../../lib/time/duration.ts';
import { duration, schedule } from '../fields.ts';
import { largestGap } from '../schedule-gap.ts';
import type { Section } from './section.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

export const drillSection: Section<DrillSettings> = {
  schema: () => drillSchema().prefault({}),
  show: ({ schedule: cron, overdue_after: limit }) => ({
    schedule: cron ?? 'off',
    overdue_after: limit === null ? undefined : writeDuration(limit),
  }),
  example: `drill:
  # When a restore of the newest backup is rehearsed and timed, or off: every quarter.
  schedule: "0 4 1 */3 *"
  # Report when the last one was longer ago. Default: two periods of the schedule.
  overdue_after: 184d
`,
};

function drillSchema() {
  return z
    .strictObject({
      schedule: schedule.default('0 4 1 */3 *'),
      overdue_after: duration(minute, 3650 * day).optional(),
    })
    .transform(({ schedule: cron, overdue_after: limit }) => ({
      schedule: cron,
      overdue_after: limit ?? (cron === null ? null : 2 * largestGap(cron)),
    }));
}
