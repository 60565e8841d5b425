import type { QueueRef } from '../../domain/queue.ts';
import type { Series } from './series.ts';

/** Notes what a search has found, in place of what the one before did. */
export function noteQueues(
  { state: { db }, subject }: Series,
  instance: string,
  found: readonly QueueRef[],
): void {
  db.prepare('INSERT OR REPLACE INTO queue (subject, found) VALUES (?, ?)').run(
    subject(instance),
    JSON.stringify(found),
  );
}

/** What the last search has found; undefined before there was one. */
export function readQueues({ state: { db }, subject }: Series, instance: string): QueueRef[] | undefined {
  const row = db.prepare('SELECT found FROM queue WHERE subject = ?').get(subject(instance));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written above
  return row === undefined ? undefined : (JSON.parse(String(row['found'])) as QueueRef[]);
}
