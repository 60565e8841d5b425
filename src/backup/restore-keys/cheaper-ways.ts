import type { RdbRecord } from '../../formats/rdb/rdb-handler.ts';
import type { Layout } from '../../formats/rdb/value-types.ts';
import type { WritingRules } from './writer-options.ts';

/**
 * From here on a server sums a payload, and holds it beside the value that it makes of it, for longer than it runs the
 * plain commands that give it the same bytes.
 */
const largeFrom = 256 * 1024;
/** But each argument costs it something too. */
const longFrom = 512;
/** Without what plain commands would lose, or say in many words. */
const simple: ReadonlySet<Layout> = new Set<Layout>([
  'strings',
  'pairs',
  'scored',
  'scored-text',
  'blobs',
  'containers',
]);

type Large = Pick<RdbRecord, 'type' | 'elements' | 'valueBytes' | 'plainBytes' | 'idle' | 'frequency'>;

function isLarge({ valueBytes, plainBytes, idle, frequency }: Large, { ways }: WritingRules): boolean {
  return ways.builds && valueBytes >= largeFrom && plainBytes === valueBytes && idle < 0 && frequency < 0;
}

/** Is the value a string that goes by SET, in one piece? */
export function goesBySet(record: RdbRecord, rules: WritingRules): boolean {
  if (record.type.layout !== 'string' || !isLarge(record, rules)) return false;
  return record.expiresAt < 0 || rules.target.setWithTime;
}

/** Is it better built, though RESTORE would take it? */
export function goesInParts(record: RdbRecord, rules: WritingRules): boolean {
  const { type, elements, valueBytes } = record;
  return simple.has(type.layout) && isLarge(record, rules) && valueBytes >= longFrom * elements;
}
