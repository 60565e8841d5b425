import { z } from 'zod';
import type { Settings } from '../domain/settings.ts';
import { duration, path, schedule, secretRef, service, text, timezone, whole } from './fields.ts';
import { redisUrlProblem } from './redis-url.ts';
import { repositorySchema } from './repository-schema.ts';
import { largestGap } from './schedule-gap.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const firstInstance = 'name at least one server: - { name: main, url: redis://127.0.0.1:6379 }';

/**
 * The configuration file as zod sees it: keys as in domain/settings.ts, plus defaults. `folder` is the configuration
 * file's own; relative paths count from it. Validate with safeParseAsync (age recipients are checked by their library).
 */
export function settingsSchema(folder: string): z.ZodType<Settings> {
  return z.strictObject({
    instances: z
      .array(instanceSchema(folder), {
        error: ({ input }) => (input === undefined ? `is missing; ${firstInstance}` : undefined),
      })
      .min(1, `is empty; ${firstInstance}`),
    repository: repositorySchema(folder),
    backup: backupSchema().prefault({}),
    verify: z
      .strictObject({
        schedule: schedule.default('30 3 * * 0'),
        after_backup: z.boolean().default(true),
        load: z.boolean().default(true),
      })
      .prefault({}),
    drill: drillSchema().prefault({}),
    aof: z.strictObject({ schedule: schedule.default('15 * * * *') }).prefault({}),
    state: z.strictObject({ path: path(folder).default('/var/lib/redis-agent') }).prefault({}),
    timezone: timezone.optional(),
  });
}

/** Becomes a folder in the repository and a label of metrics. */
const name = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,62}$/,
    'is not a usable name; lower-case letters, digits, - and _, at most 63, first a letter or digit',
  );

const url = z.string().transform((value, context) => {
  const problem = redisUrlProblem(value);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  return value;
});

function instanceSchema(folder: string) {
  const tls = z.strictObject({
    ca: path(folder).optional(),
    cert: path(folder).optional(),
    key: path(folder).optional(),
    server_name: text.optional(),
  });
  return z
    .strictObject({
      name,
      url,
      username: text
        .refine((value) => !/\s/.test(value), 'holds white space; no ACL user has any')
        .optional(),
      password: secretRef(folder).optional(),
      tls: tls.optional(),
      service: service.optional(),
      role: z.enum(['cache', 'queue', 'session', 'durable']).optional(),
    })
    .superRefine((instance, context) => {
      const problem = (key: string, message: string): void =>
        context.addIssue({ code: 'custom', path: [key], message });
      if (instance.username !== undefined && instance.password === undefined)
        problem('username', 'has no password beside it; add password: { file: … }');
      if (instance.tls === undefined) return;
      if (!instance.url.startsWith('rediss:'))
        problem('tls', 'is not used by this url; write rediss://… for TLS, or leave tls out');
      if ((instance.tls.cert === undefined) !== (instance.tls.key === undefined))
        problem('tls', 'has one of cert and key; a client certificate needs both');
    });
}

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

/**
 * Two missed runs and an hour for the third: 13 h for every 6 h. Without a schedule somebody else starts the backups,
 * and daily is the least that one expects.
 */
function staleAfter(cron: string | null): number {
  return 2 * (cron === null ? day : largestGap(cron)) + hour;
}
