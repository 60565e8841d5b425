import type { PatternSettings } from './settings/queues.ts';

/** What one walk through the keys saw of those of one pattern. */
export interface PatternReading {
  name: string;
  settings: PatternSettings;
  /** All that matched. */
  keys: number;
  /** Of these so many were looked at. */
  sampled: number;
  withoutTtl: number;
  /** Seconds; null where none has one. */
  longestTtl: number | null;
  /** At or above the limit; null without one. */
  blocked: number | null;
  /** One of those without a time to live, with what varies in it masked. */
  example: string | null;
  /** Could they be read at all? */
  readable: boolean;
}

/** The history's name of a pattern of an instance. */
export const patternSubject = (instance: string, name: string): string => `${instance} pattern ${name}`;

/** A share of the sample as a count of all. */
export const ofAll = ({ keys, sampled }: PatternReading, count: number): number =>
  sampled === 0 ? 0 : Math.round((count / sampled) * keys);

export const patternValues = (reading: PatternReading): Record<string, number> => ({
  pattern_keys: reading.keys,
  ...(reading.readable && { pattern_without_ttl: ofAll(reading, reading.withoutTtl) }),
  ...(reading.longestTtl !== null && { pattern_longest_ttl_seconds: reading.longestTtl }),
  ...(reading.blocked !== null && { pattern_blocked: ofAll(reading, reading.blocked) }),
});
