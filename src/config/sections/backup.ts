import * as z from 'zod';
import type { BackupSettings } from '../../domain/settings/backup.ts';
import { writeDuration } from '../../lib/time/duration.ts';
import { duration, schedule, whole } from '../fields.ts';
import { largestGap } from '../schedule-gap.ts';
import type { Section } from './section.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

export const backupSection: Section<BackupSettings> = {
  schema: () => backupSchema().prefault({}),
  show: (backup) => ({
    ...backup,
    schedule: backup.schedule ?? 'off',
    jitter: writeDuration(backup.jitter),
    stale_after: writeDuration(backup.stale_after),
    snapshot_timeout: writeDuration(backup.snapshot_timeout),
  }),
  example: `backup:
  # minute hour day month weekday (or with seconds in front), or off. In the time zone below.
  schedule: "0 */6 * * *"
  # A random delay of at most this before each run, so that many hosts do not start together.
  jitter: 30s
  retention:
    days: 7                                    # keep everything younger than this
    keep_min: 3                                # and at least this many, however old
    daily: 0                                   # besides: the newest one of each of the last N days,
    weekly: 0                                  # … weeks
    monthly: 0                                 # … and months
  # A backup whose keys or bytes fell by more than this share pushes no older one out, and is reported.
  shrink_alert: 0.5
  # Report when the newest backup is older. Default: two missed runs and an hour (13h for every 6 hours).
  stale_after: 13h
  # How long the server may take to write its snapshot.
  snapshot_timeout: 1h
`,
};

function backupSchema() {
  const retention = z.strictObject({
    days: whole(0, 36_500).default(7),
    keep_min: whole(1, 10_000).default(3),
    daily: whole(0, 10_000).default(0),
    weekly: whole(0, 10_000).default(0),
    monthly: whole(0, 10_000).default(0),
  });
  const share = 'is not a share; a number above 0 and up to 1, such as 0.5';
  return z
    .strictObject({
      schedule: schedule.default('0 */6 * * *'),
      jitter: duration(0, day).default(30_000),
      retention: retention.prefault({}),
      shrink_alert: z.number(share).gt(0, share).lte(1, share).default(0.5),
      stale_after: duration(minute, 3650 * day).optional(),
      snapshot_timeout: duration(1000, 7 * day).default(hour),
    })
    .transform((backup) => ({ ...backup, stale_after: backup.stale_after ?? staleAfter(backup.schedule) }));
}

/**
 * Two missed runs and an hour for the third: 13 h for every 6 h. Without a schedule somebody else starts the backups,
 * and daily is the least that one expects.
 */
function staleAfter(cron: string | null): number {
  return 2 * (cron === null ? day : largestGap(cron)) + hour;
}
