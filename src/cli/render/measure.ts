import { isCounter } from '../../domain/metrics.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';

/** A value of the history for people, by its metric's name: bytes, lengths of time, shares, or growth a second. */
export function formatMeasure(metric: string, value: number): string {
  const each = isCounter(metric) ? '/s' : '';
  const base = metric.replace(/_total$/, '');
  if (base.endsWith('_timestamp_seconds')) return value > 0 ? new Date(value * 1000).toISOString() : '–';
  if (base.endsWith('_bytes')) return `${formatBytes(value)}${each}`;
  // Of a counter of seconds: how much of each second.
  if (base.endsWith('_seconds')) return each === '' ? formatSeconds(value) : `${round(value * 100)} %`;
  if (base.endsWith('_used_ratio') || base === 'loading_ratio') return `${round(value * 100)} %`;
  // What is counted one by one is whole; what grows a second, or is a ratio, is not.
  if (each === '' && !base.endsWith('_ratio'))
    return Number.isFinite(value) ? String(Math.round(value)) : '–';
  return `${round(value)}${each}`;
}

function formatSeconds(value: number): string {
  if (value < 0) return '–';
  return value < 0.01 && value > 0 ? `${round(value * 1e6)} µs` : formatDuration(value * 1000);
}

/** Three digits that mean something. */
export function round(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return String(Number(value.toFixed(digits)));
}

/** Microseconds of execution. */
export const formatMicros = (micros: number): string => formatSeconds(micros / 1e6);
