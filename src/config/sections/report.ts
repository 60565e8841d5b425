import * as z from 'zod';
import type { ReportSettings } from '../../domain/settings/report.ts';
import { writeDuration } from '../../lib/time/duration.ts';
import { duration, schedule, text } from '../fields.ts';
import type { Section } from './section.ts';

const hour = 60 * 60 * 1000;
const day = 24 * hour;

/** Names in it are checked against `alerts:` by nameProblems. */
export const reportSection: Section<ReportSettings | undefined> = {
  schema: () =>
    z
      .strictObject({
        schedule: schedule.default('0 8 * * 1'),
        to: z.array(text).min(1, 'is empty; leave it out for all of e-mail and Slack').optional(),
        since: duration(hour, 400 * day).default(7 * day),
        audit: z.boolean().default(true),
      })
      .optional(),
  show: (report) =>
    report === undefined
      ? undefined
      : { ...report, schedule: report.schedule ?? 'off', since: writeDuration(report.since) },
  example: `# The report by itself, to channels of e-mail (with the page as a file) and Slack (the verdict). Nothing is sent when
# left out.
# report:
#   schedule: "0 8 * * 1"                        # or off: audits only
#   to: [mail]                                   # default: every channel of e-mail and Slack
#   since: 7d
#   audit: true                                  # the page of the scheduled audit too
`,
};
