import * as z from 'zod';
import {
  thresholdKinds,
  type MonitorSettings,
  type ThresholdKind,
  type ThresholdUnit,
} from '../../domain/settings/monitor.ts';
import { writeDuration } from '../../lib/time/duration.ts';
import { duration, fail, text } from '../fields.ts';
import { patternsSchema, queuesSchema, showPatterns, showQueues } from '../queues.ts';
import { showThresholds, thresholdsSchema } from '../thresholds.ts';
import type { Section } from './section.ts';

const hour = 3_600_000;

/** Milliseconds, or null for `off`. */
const interval = text.transform((value, context): number | null => {
  if (value === 'off') return null;
  const parsed = duration(1000, hour).safeParse(value);
  if (parsed.success) return parsed.data;
  return fail(context, 'is not an interval; from 1s to 1h, such as 15s, or off');
});

/** Milliseconds between two searches, or null for `off`. */
const search = text.transform((value, context): number | null => {
  if (value === 'off') return null;
  const parsed = duration(10_000, 24 * hour).safeParse(value);
  if (parsed.success) return parsed.data;
  return fail(context, 'is not an interval; from 10s to 24h, such as 1h, or off');
});

export const monitorSection: Section<MonitorSettings> = {
  schema: () =>
    z
      .strictObject({
        interval: interval.default(15_000),
        slow_command: duration(1, hour).default(10),
        queues: queuesSchema().default([]),
        find_queues: search.default(hour),
        patterns: patternsSchema().default({}),
        thresholds: thresholdsSchema().prefault({}),
      })
      .prefault({}),
  show: ({ interval: every, slow_command: slow, queues, find_queues: find, patterns, thresholds }) => ({
    interval: every === null ? 'off' : writeDuration(every),
    slow_command: writeDuration(slow),
    queues: showQueues(queues),
    find_queues: find === null ? 'off' : writeDuration(find),
    patterns: showPatterns(patterns),
    thresholds: showThresholds(thresholds),
  }),
  example: `monitor:
  # How often each server is polled, over one connection that is held; or off.
  interval: 15s
  # A command that takes longer is counted as slow. The server's slowlog-log-slower-than must not be above it.
  slow_command: 10ms
  # Queues of Bull and BullMQ, streams with groups, and lists and sorted sets that are called queue, jobs or tasks are
  # found by themselves: by SCAN, a little at a time, this often; or off.
  find_queues: 1h
  # What is known of them beforehand. depth: more waiting than that is told, and again at two and four times; age: the
  # same of how long the oldest has been due; stuck: work is due and nothing is finished; keep: what should be left.
  # queues:
  #   - { name: mail, prefix: bull, keep: { completed: 24h, failed: 7d, last: 1000 }, depth: 100, age: 5m, stuck: 5m }
  #   - { list: ai-queue, processing: worker:processing, completed: jobs:completed:today }   # the last two are counters
  #   - { zset: ai-queue-priority, instance: main, db: 1 }
  #   - { stream: events, group: mailers }
  #   - { list: job-titles, ignore: true }       # it is called so, and is none
  # Keys of the application's own that should expire, counted every ten minutes by SCAN and looked at in a sample.
  # ttl: the longest time to live that is planned; limit: a counter at or above it is blocked. The agent must be able
  # to read them.
  # patterns:
  #   sessions: { match: "sess:*", ttl: 24h }
  #   rate_limits: { match: "rl:*", limit: 100 }
  # When something is told, and how urgently: info, warning, high or critical, each a bound or off. These are the
  # defaults; a role changes some (a queue has no hit_rate, a cache may evict), an instance all of them.
  thresholds:
${thresholdLines()}`,
};

function thresholdLines(): string {
  return Object.entries<ThresholdKind>(thresholdKinds)
    .map(([name, { unit, what, levels, below }]) => {
      const bounds = Object.entries(levels).map(([level, value]) => `${level}: ${written(value, unit)}`);
      const body = bounds.length === 0 ? `# ${name}: { warning: … }` : `${name}: { ${bounds.join(', ')} }`;
      return `    ${body.padEnd(58)} # ${below === true ? 'below: ' : ''}${what}\n`;
    })
    .join('');
}

function written(value: number, unit: ThresholdUnit): string {
  if (unit === 'duration') return writeDuration(value);
  return unit === 'bytes' ? asTyped(value) : String(value);
}

/** As Redis and this configuration write sizes. */
function asTyped(value: number): string {
  const mega = 2 ** 20;
  return value % mega === 0 ? `${value / mega}mb` : String(value);
}
