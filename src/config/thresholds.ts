import * as z from 'zod';
import {
  thresholdKinds,
  type ThresholdKind,
  type ThresholdLevel,
  type ThresholdOverrides,
  type ThresholdUnit,
} from '../domain/settings/monitor.ts';
import { parseBytes } from '../lib/text/bytes.ts';
import { parseDuration, writeDuration } from '../lib/time/duration.ts';

const forms: Record<
  ThresholdUnit,
  { form: string; parse: (text: string) => number | undefined; show: (value: number) => unknown }
> = {
  number: { form: 'write a number such as 50, or off', parse: plain, show: (value) => value },
  percent: { form: 'write a number from 0 to 100, or off', parse: percent, show: (value) => value },
  duration: {
    form: 'write a duration such as 500ms or 5m, or off',
    parse: parseDuration,
    show: writeDuration,
  },
  bytes: { form: 'write a size such as 100mb, or off', parse: parseBytes, show: (value) => `${value}b` },
};

/** `thresholds:` of the section monitor and of an instance: the levels of each, or `off`. */
export function thresholdsSchema(): z.ZodType<ThresholdOverrides> {
  const shape = Object.fromEntries(
    Object.entries<ThresholdKind>(thresholdKinds).map(([name, { unit, below = false }]) => {
      const level = levelSchema(unit).optional();
      const levels = z
        .strictObject({ info: level, warning: level, high: level, critical: level })
        .superRefine((given, context) => {
          for (const { path, message } of outOfOrder(given, below))
            context.addIssue({ code: 'custom', path, message });
        });
      return [name, levels.optional()];
    }),
  );
  return z.strictObject(shape);
}

const milder = ['info', 'warning', 'high', 'critical'] as const;

/** Levels that a graver one comes before, so that they would never be told. */
function outOfOrder(
  given: Readonly<Partial<Record<ThresholdLevel, number | null | undefined>>>,
  below: boolean,
): { path: [ThresholdLevel]; message: string }[] {
  return milder.flatMap((level, index) => {
    const own = given[level];
    const graver = milder.slice(index + 1).find((other) => {
      const bound = given[other];
      return typeof own === 'number' && typeof bound === 'number' && (below ? own < bound : own > bound);
    });
    const message = `is ${below ? 'lower' : 'higher'} than ${graver}, so that it would never be told`;
    return graver === undefined ? [] : [{ path: [level], message }];
  });
}

function levelSchema(unit: ThresholdUnit): z.ZodType<number | null> {
  const { form, parse } = forms[unit];
  return z.union([z.string(), z.number()], `is not a threshold; ${form}`).transform((value, context) => {
    if (value === 'off') return null;
    const parsed = parse(String(value));
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: `is not a threshold; ${form}` });
    return z.NEVER;
  });
}

/** As the file would have it. */
export function showThresholds(thresholds: ThresholdOverrides): unknown {
  const shown = Object.entries(thresholds).map(([name, levels]) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key of it
    const { unit } = thresholdKinds[name as keyof typeof thresholdKinds];
    const values = Object.entries(levels ?? {}).flatMap(([level, value]) =>
      value === undefined ? [] : [[level, value === null ? 'off' : forms[unit].show(value)]],
    );
    return [name, Object.fromEntries(values)];
  });
  return Object.fromEntries(shown);
}

function plain(text: string): number | undefined {
  return /^\d{1,15}(\.\d{1,6})?$/.test(text) ? Number(text) : undefined;
}

function percent(text: string): number | undefined {
  const value = plain(text.replace(/%$/, ''));
  return value === undefined || value > 100 ? undefined : value;
}
