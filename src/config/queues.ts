import * as z from 'zod';
import type { PatternSettings, QueueSettings } from '../domain/settings/queues.ts';
import { writeDuration } from '../lib/time/duration.ts';
import { duration, text, whole } from './fields.ts';

const day = 86_400_000;
const span = duration(1000, 400 * day);
const count = whole(1, 1_000_000_000);

/** `monitor.queues`. */
export function queuesSchema(): z.ZodType<QueueSettings[]> {
  return z.array(
    z
      .strictObject({
        instance: text.optional(),
        db: whole(0, 65_535).optional(),
        name: text.optional(),
        prefix: text.optional(),
        list: text.optional(),
        zset: text.optional(),
        stream: text.optional(),
        group: text.optional(),
        processing: text.optional(),
        completed: text.optional(),
        keep: z
          .strictObject({ completed: span.optional(), failed: span.optional(), last: count.optional() })
          .optional(),
        depth: count.optional(),
        age: span.optional(),
        stuck: span.optional(),
        ignore: z.boolean().optional(),
      })
      .superRefine((queue, context) => {
        const problem = (key: string, message: string): void =>
          context.addIssue({ code: 'custom', path: [key], message });
        const { name, list, zset, stream, prefix, group, processing, completed, keep } = queue;
        const said = [name, list, zset, stream].filter((value) => value !== undefined);
        if (said.length !== 1)
          context.addIssue({
            code: 'custom',
            message:
              'does not say which queue; write one of name: (Bull or BullMQ), list:, zset: or stream: with its key',
          });
        if (prefix !== undefined && name === undefined) problem('prefix', 'belongs to a queue with a name:');
        if (keep !== undefined && name === undefined) problem('keep', 'belongs to a queue with a name:');
        if (group !== undefined && stream === undefined) problem('group', 'belongs to a stream:');
        if (processing !== undefined && list === undefined) problem('processing', 'belongs to a list:');
        if (completed !== undefined && list === undefined) problem('completed', 'belongs to a list:');
      }),
  );
}

/** `monitor.patterns`. */
export function patternsSchema(): z.ZodType<Record<string, PatternSettings>> {
  return z.record(
    z
      .string()
      .regex(/^[a-z0-9][a-z0-9_-]{0,40}$/, 'is not a usable name; lower-case letters, digits, - and _'),
    z.strictObject({
      match: text,
      instance: text.optional(),
      db: whole(0, 65_535).optional(),
      ttl: span.optional(),
      limit: count.optional(),
    }),
  );
}

/** As the file would have it. */
export function showPatterns(patterns: Readonly<Record<string, PatternSettings>>): unknown {
  return Object.fromEntries(
    Object.entries(patterns).map(([name, { ttl, ...rest }]) => [
      name,
      { ...rest, ...(ttl !== undefined && { ttl: shown(ttl) }) },
    ]),
  );
}

const shown = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : writeDuration(ms);

/** As the file would have it. */
export function showQueues(queues: readonly QueueSettings[]): unknown {
  return queues.map(({ keep, age, stuck, ...rest }) => ({
    ...rest,
    ...(keep !== undefined && {
      keep: { ...keep, completed: shown(keep.completed), failed: shown(keep.failed) },
    }),
    ...(age !== undefined && { age: shown(age) }),
    ...(stuck !== undefined && { stuck: shown(stuck) }),
  }));
}
