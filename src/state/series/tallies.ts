import type { ClientGroup, CommandCost } from '../../domain/sample.ts';
import type { Series } from './series.ts';
import { day, startOf } from './tiers.ts';

const mostCommands = 150;
const mostClients = 200;
/** Days of slow commands, costs and clients that are kept. */
const keep = 30 * day;

/** Adds what commands have cost since the last reading to their day. */
export function addCosts(
  { state: { db }, subject }: Series,
  instance: string,
  at: number,
  costs: readonly CommandCost[],
): void {
  const id = subject(instance);
  const date = startOf(at, day);
  const known = new Set(
    db
      .prepare('SELECT command FROM cost WHERE subject = ? AND day = ?')
      .all(id, date)
      .map((row) => String(row['command'])),
  );
  const add = db.prepare(
    `INSERT INTO cost VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, micros = micros + excluded.micros`,
  );
  for (const { command, calls, micros } of costs) {
    const name = known.has(command) || known.size < mostCommands ? command : 'other';
    known.add(name);
    add.run(id, date, name, Math.round(calls), Math.round(micros));
  }
}

/** What commands have cost since then, by the day; the dearest first. */
export function readCosts(
  { state: { db }, subject }: Series,
  instance: string,
  since: number,
): CommandCost[] {
  return db
    .prepare(
      `SELECT command, sum(calls) AS calls, sum(micros) AS micros FROM cost WHERE subject = ? AND day >= ?
       GROUP BY command ORDER BY micros DESC, command`,
    )
    .all(subject(instance), startOf(since, day))
    .map((row) => ({
      command: String(row['command']),
      calls: Number(row['calls']),
      micros: Number(row['micros']),
    }));
}

/** Clients of one address and name, as they were seen. */
export interface SeenClients extends ClientGroup {
  /** The most of them at one time. */
  most: number;
  /** When last seen, milliseconds since the epoch. */
  last: number;
}

export function addClients(
  { state: { db }, subject }: Series,
  instance: string,
  at: number,
  clients: readonly ClientGroup[],
): void {
  const id = subject(instance);
  const date = startOf(at, day);
  const seen = db.prepare('SELECT count(*) AS count FROM client WHERE subject = ? AND day = ?');
  const has = db.prepare('SELECT 1 FROM client WHERE subject = ? AND day = ? AND address = ? AND name = ?');
  const add = db.prepare(
    `INSERT INTO client VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET user = excluded.user, most = max(most, excluded.most), last_count = excluded.last_count,
       last = excluded.last, memory = excluded.memory, idle = excluded.idle`,
  );
  for (const { address, name, user, count, memory, idle } of clients) {
    const full = Number(seen.get(id, date)?.['count']) >= mostClients;
    const known = !full || has.get(id, date, address, name) !== undefined;
    const [place, called] = known ? [address, name] : ['other', ''];
    add.run(id, date, place, called, user, count, count, at, Math.round(memory), Math.round(idle));
  }
}

/** Who was connected since then, the most connections first. */
export function readClients(
  { state: { db }, subject }: Series,
  instance: string,
  since: number,
): SeenClients[] {
  return db
    .prepare(
      `SELECT address, name, user, max(most) AS most, last_count, max(last) AS last, memory, idle FROM client
       WHERE subject = ? AND last >= ? GROUP BY address, name ORDER BY most DESC, address, name`,
    )
    .all(subject(instance), since)
    .map((row) => ({
      address: String(row['address']),
      name: String(row['name']),
      user: String(row['user']),
      count: Number(row['last_count']),
      most: Number(row['most']),
      last: Number(row['last']),
      memory: Number(row['memory']),
      idle: Number(row['idle']),
      blocked: 0,
    }));
}

/** Drops the days that are over, of all of these tables. */
export function forgetTallies({ state: { db } }: Series, now: number): void {
  for (const table of ['slow', 'slow_lost', 'cost', 'client'])
    db.prepare(`DELETE FROM ${table} WHERE day < ?`).run(now - keep);
}
