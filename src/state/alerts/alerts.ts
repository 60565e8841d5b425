import type { Alert, AlertGroup } from '../../domain/alert.ts';
import { HeldRows } from '../db/held.ts';
import type { State } from '../db/open.ts';

/** Those that are not over, or that somebody may have yet to hear of. */
const open = new HeldRows<Alert>((state) =>
  state.db
    .prepare(`SELECT id, body FROM alerts WHERE settled_at IS NULL OR state != 'resolved' ORDER BY id`)
    .all()
    .map((row) => [Number(row['id']), asAlert(row)]),
);

const isOpen = ({ settled_at, state }: Alert): boolean => settled_at === null || state !== 'resolved';

/** The alerts of an instance that are not over, and those that ended within `span` before now. */
export function knownAlerts(
  state: State,
  instance: string,
  { now, span }: { now: number; span: number },
): Alert[] {
  const ended = state.db
    .prepare(
      `SELECT id, body FROM alerts WHERE instance = :instance AND state = 'resolved' AND resolved_at > :since`,
    )
    .all({ instance, since: now - span })
    .map(asAlert);
  const current = [...open.of(state).values()].filter(
    (alert) => alert.instance === instance && alert.state !== 'resolved',
  );
  return [...current, ...ended];
}

/** All that are not over, and those that are and that somebody may have yet to hear of. */
export function unsettledAlerts(state: State): Alert[] {
  return [...open.of(state).values()].filter((alert) => alert.settled_at === null);
}

/** Those that ended since then and had fired, the newest first. */
export function endedAlerts(state: State, since: number, limit: number): Alert[] {
  return state.db
    .prepare(
      `SELECT id, body FROM alerts WHERE state = 'resolved' AND resolved_at >= ?
       ORDER BY resolved_at DESC, id DESC LIMIT ?`,
    )
    .all(since, limit)
    .map(asAlert);
}

export function alertById(state: State, id: number): Alert | undefined {
  const row = state.db.prepare('SELECT id, body FROM alerts WHERE id = ?').get(id);
  return row === undefined ? undefined : asAlert(row);
}

/**
 * Stores alerts as they are now; new ones get their id. One that was over before it fired is forgotten. To be called in
 * the transaction that read them.
 */
export function storeAlerts(state: State, alerts: readonly Alert[]): void {
  const insert = state.db.prepare(
    `INSERT INTO alerts (instance, rule, resource, state, resolved_at, settled_at, body)
     VALUES (:instance, :rule, :resource, :state, :resolved_at, :settled_at, :body)`,
  );
  const update = state.db.prepare(
    `UPDATE alerts SET state = :state, resolved_at = :resolved_at, settled_at = :settled_at, body = :body
     WHERE id = :id`,
  );
  const remove = state.db.prepare('DELETE FROM alerts WHERE id = ?');
  for (const given of alerts) {
    const { id: known, ...alert } = given;
    const { instance, rule, resource, state: current, resolved_at, settled_at } = alert;
    const body = JSON.stringify(alert);
    if (known !== null && current === 'resolved' && alert.fired_at === null) {
      remove.run(known);
      open.drop(state, known);
      continue;
    }
    let id = known;
    if (id === null) {
      const made = insert.run({ instance, rule, resource, state: current, resolved_at, settled_at, body });
      id = Number(made.lastInsertRowid);
    } else update.run({ id, state: current, resolved_at, settled_at, body });
    if (isOpen(given)) open.put(state, id, { ...given, id });
    else open.drop(state, id);
  }
}

/** Drops those that were over, and that everybody knew, before then. */
export function forgetAlerts(state: State, before: number): void {
  state.db.prepare('DELETE FROM alerts WHERE settled_at < ?').run(before);
  open.forget(state);
}

export function alertGroups(state: State): AlertGroup[] {
  return state.db
    .prepare('SELECT channel, instance, thread, title, last_at FROM alert_groups')
    .all()
    .map(({ channel, instance, thread, title, last_at: last }) => ({
      channel: String(channel),
      instance: String(instance),
      thread: String(thread),
      title: String(title),
      last_at: Number(last),
    }));
}

/** What a channel answered about a thread, for the next message of it, belongs to the thread and goes with it. */
export function storeGroups(state: State, groups: readonly AlertGroup[]): void {
  const store = state.db.prepare(
    `INSERT INTO alert_groups (channel, instance, thread, title, last_at)
     VALUES (:channel, :instance, :thread, :title, :last_at)
     ON CONFLICT (channel, instance) DO UPDATE SET last_at = excluded.last_at, thread = excluded.thread,
       title = excluded.title, reference = CASE WHEN thread = excluded.thread THEN reference END`,
  );
  for (const { channel, instance, thread, title, last_at } of groups)
    store.run({ channel, instance, thread, title, last_at });
}

/** What the channel named the first message of a thread, if it did. */
export function threadReference(state: State, channel: string, thread: string): string | undefined {
  const row = state.db
    .prepare('SELECT reference FROM alert_groups WHERE channel = ? AND thread = ?')
    .get(channel, thread);
  return typeof row?.['reference'] === 'string' ? row['reference'] : undefined;
}

export function rememberReference(state: State, channel: string, thread: string, reference: string): void {
  state.db
    .prepare('UPDATE alert_groups SET reference = ? WHERE channel = ? AND thread = ? AND reference IS NULL')
    .run(reference, channel, thread);
}

function asAlert({ id, body }: Record<string, unknown>): Alert {
  // Of ten thousand open ones each poll reads all: what was parsed is not copied once more.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by storeAlerts above
  return Object.assign(JSON.parse(String(body)) as Omit<Alert, 'id'>, { id: Number(id) });
}
