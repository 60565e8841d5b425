import { formatBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import type { Severity } from '../../domain/finding.ts';
import type { Figure, Point, TableCell, Tone, Unit } from '../document.ts';

export const toneOf: Record<Severity, Tone> = {
  critical: 'bad',
  high: 'bad',
  warning: 'warning',
  info: 'none',
};

export function cell(text: string, tone: Tone = 'none', share: number | null = null): TableCell {
  return { text, tone, share };
}

export function figure(
  label: string,
  value: string,
  note: string | null = null,
  tone: Tone = 'none',
): Figure {
  return { label, value, note, tone };
}

/** `2026-11-21 06:00` in the zone of the report. */
export function formatMoment(at: number, timezone: string): string {
  // A page has thousands of moments, and to make a formatter takes as long as a hundred of them.
  let format = formats.get(timezone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short', timeZone: timezone });
    formats.set(timezone, format);
  }
  return format.format(at);
}

const formats = new Map<string, Intl.DateTimeFormat>();

export function formatDay(at: number, timezone: string): string {
  return formatMoment(at, timezone).slice(0, 10);
}

/** A value with its unit, for people. */
export function formatValue(value: number, unit: Unit): string {
  switch (unit) {
    case 'bytes':
      return formatBytes(value);
    case 'count':
      return formatCount(value);
    case 'per-second':
      return `${formatCount(value)}/s`;
    case 'percent':
      return `${value >= 99.95 || value === 0 ? value.toFixed(0) : value.toFixed(1)} %`;
    case 'milliseconds':
      if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
      return value < 10 ? `${value.toFixed(2)} ms` : `${Math.round(value)} ms`;
    case 'seconds':
  }
  return formatDuration(value * 1000);
}

/** `1 234 567`, `12.5`: thin spaces between thousands. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const text =
    Number.isInteger(value) || Math.abs(value) >= 100 ? String(Math.round(value)) : value.toFixed(1);
  return text.replaceAll(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

export function plural(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Of the points that have a value; undefined where none has. */
export function summarize(
  points: readonly Point[],
): { first: number; last: number; low: number; high: number; mean: number; count: number } | undefined {
  const values = points.flatMap(([, value]) => (value === null ? [] : [value]));
  const [first] = values;
  const last = values.at(-1);
  if (first === undefined || last === undefined) return undefined;
  let [low, high, sum] = [first, first, 0];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
    sum += value;
  }
  return { first, last, low, high, mean: sum / values.length, count: values.length };
}

/** A length of time in whole seconds or more; none is `0s`. */
export function formatSpan(ms: number): string {
  return ms < 1000 ? '0s' : formatDuration(ms);
}
