import { z } from 'zod';
import {
  thresholdKinds,
  type MonitorSettings,
  type ThresholdKind,
  type ThresholdUnit,
} from '../../domain/settings/monitor.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { writeDuration } from '../../lib/duration.ts';
import { duration, fail, text } from '../fields.ts';
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

export const monitorSection: Section<MonitorSettings> = {
  schema: () =>
    z
      .strictObject({
        interval: interval.default(15_000),
        slow_command: duration(1, hour).default(10),
        thresholds: thresholdsSchema().prefault({}),
      })
      .prefault({}),
  show: ({ interval: every, slow_command: slow, thresholds }) => ({
    interval: every === null ? 'off' : writeDuration(every),
    slow_command: writeDuration(slow),
    thresholds: showThresholds(thresholds),
  }),
  example: `monitor:
  # How often each server is polled, over one connection that is held; or off.
  interval: 15s
  # A command that takes longer is counted as slow. The server's slowlog-log-slower-than must not be above it.
  slow_command: 10ms
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
  return unit === 'bytes' ? formatBytes(value) : String(value);
}
