import type { Notice } from '../../domain/alert.ts';
import type { State } from '../db/open.ts';

/** A notice that waits to be sent, or what became of it. */
export interface OutboxRow {
  id: number;
  channel: string;
  notice: Notice;
  created_at: number;
  attempts: number;
  /** Not before. */
  next_at: number;
  outcome: 'sent' | 'merged' | 'given-up' | null;
  done_at: number | null;
  /** What the other side said last, without secrets. */
  answer: string | null;
}

/** Takes notices in, each with a key of its own. To be called in the transaction that notes in the alerts what they tell. */
export function enqueue(state: State, notices: readonly Notice[]): void {
  const insert = state.db.prepare(
    `INSERT INTO outbox (channel, thread, notice, created_at, next_at) VALUES (?, ?, ?, ?, ?)`,
  );
  const name = state.db.prepare('UPDATE outbox SET notice = ? WHERE id = ?');
  for (const notice of notices) {
    const { channel, thread, at } = notice;
    const { lastInsertRowid: id } = insert.run(channel, thread, '', at, at);
    name.run(JSON.stringify({ ...notice, key: `${at.toString(36)}-${id}` }), id);
  }
}

/** What waits for one channel, the oldest first. */
export function waitingFor(state: State, channel: string, limit = 1000): OutboxRow[] {
  return state.db
    .prepare('SELECT * FROM outbox WHERE outcome IS NULL AND channel = ? ORDER BY id LIMIT ?')
    .all(channel, limit)
    .map(asRow);
}

/** By channel: how many wait, since when, and when the first of them may be tried; the others wait for that. */
export function outboxDepth(
  state: State,
): { channel: string; waiting: number; oldest: number; next: number }[] {
  return state.db
    .prepare(
      // The bare columns are those of the row with the smallest id.
      `SELECT channel, COUNT(*) AS waiting, MIN(id), created_at AS oldest, next_at AS next
       FROM outbox WHERE outcome IS NULL GROUP BY channel`,
    )
    .all()
    .map((row) => ({
      channel: String(row['channel']),
      waiting: Number(row['waiting']),
      oldest: Number(row['oldest']),
      next: Number(row['next']),
    }));
}

/** An attempt that failed, to be made again at `next`. */
export function postpone(
  state: State,
  ids: readonly number[],
  { next, answer }: { next: number; answer: string },
): void {
  const update = state.db.prepare(
    'UPDATE outbox SET attempts = attempts + 1, next_at = ?, answer = ? WHERE id = ?',
  );
  for (const id of ids) update.run(next, answer, id);
}

/** They may be tried now: the channel works again, or was asked to. */
export function hurry(state: State, channel: string, now: number): void {
  state.db
    .prepare('UPDATE outbox SET next_at = ?1 WHERE outcome IS NULL AND channel = ?2 AND next_at > ?1')
    .run(now, channel);
}

/** The end of what waited: the last of them was sent for all, or all were given up. */
export function finish(
  state: State,
  ids: readonly number[],
  { outcome, at, answer }: { outcome: 'sent' | 'given-up'; at: number; answer: string },
): void {
  const update = state.db.prepare(
    'UPDATE outbox SET attempts = attempts + 1, outcome = ?, done_at = ?, answer = ? WHERE id = ?',
  );
  for (const [index, id] of ids.entries())
    update.run(outcome === 'sent' && index < ids.length - 1 ? 'merged' : outcome, at, answer, id);
}

/** What was to be told since then, and what became of it; newest first, at most a thousand. */
export function noticesSince(state: State, since: number): OutboxRow[] {
  return state.db
    .prepare('SELECT * FROM outbox WHERE created_at >= ? ORDER BY id DESC LIMIT 1000')
    .all(since)
    .map(asRow);
}

/** Drops what was done before then. */
export function forgetNotices(state: State, before: number): void {
  state.db.prepare('DELETE FROM outbox WHERE done_at < ?').run(before);
}

function asRow(row: Record<string, unknown>): OutboxRow {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT table has these columns, and thread
  const { notice, ...record } = row as unknown as OutboxRow & { notice: string };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by enqueue above
  return { ...record, notice: JSON.parse(notice) as Notice };
}
