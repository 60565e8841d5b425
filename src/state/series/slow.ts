import type { SlowCommand } from '../../domain/sample.ts';
import type { Series } from './series.ts';
import { day, startOf } from './tiers.ts';

const most = 200;
const other = 'other';
const mostClients = 8;
/** Each bucket is a fifth wider than the one before: so exact are the quantiles. */
const ratio = 1.2;

/** Where the reading of the log stands: what was counted is not counted again after a restart of the agent. */
export interface KeptCursor {
  runId: string | undefined;
  id: number | undefined;
  present: boolean;
}

/** Slow commands that are alike, over the days asked for. Times in microseconds. */
export interface SlowGroup {
  fingerprint: string;
  shape: string;
  count: number;
  total: number;
  /** Upper edge of its bucket, and never above the worst. */
  p95: number;
  worst: number;
  /** Milliseconds since the epoch, of the server's clock. */
  last: number;
  clients: string[];
}

/** Adds what one poll found to its day: at most 200 fingerprints a day, the rest as `other`. */
export function addSlow(
  { state: { db }, subject }: Series,
  instance: string,
  {
    at,
    entries,
    lost,
    cursor,
  }: { at: number; entries: readonly SlowCommand[]; lost: number; cursor: KeptCursor },
): void {
  const id = subject(instance);
  for (const entry of entries) {
    // The server's own time, unless it is absurd: then it would be kept for ever, or not at all.
    const when = Math.abs(entry.at * 1000 - at) < day ? entry.at * 1000 : at;
    const date = startOf(when, day);
    const find = db.prepare('SELECT * FROM slow WHERE subject = ? AND day = ? AND fingerprint = ?');
    const count = db.prepare('SELECT count(*) AS count FROM slow WHERE subject = ? AND day = ?');
    const known = find.get(id, date, entry.fingerprint);
    const full = known === undefined && Number(count.get(id, date)?.['count']) >= most;
    const [fingerprint, shape] = full ? [other, other] : [entry.fingerprint, entry.shape];
    const row = full ? find.get(id, date, other) : known;
    const histogram = toNumbers(row?.['histogram']);
    const bucket = String(bucketOf(entry.micros));
    histogram[bucket] = (histogram[bucket] ?? 0) + 1;
    const clients = new Set([...toTexts(row?.['clients']), entry.client].slice(0, mostClients));
    db.prepare('INSERT OR REPLACE INTO slow VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
      id,
      date,
      fingerprint,
      shape,
      Number(row?.['count'] ?? 0) + 1,
      Number(row?.['total'] ?? 0) + entry.micros,
      Math.max(Number(row?.['worst'] ?? 0), entry.micros),
      Math.max(Number(row?.['last'] ?? 0), when),
      JSON.stringify(histogram),
      JSON.stringify([...clients]),
    );
  }
  if (lost > 0) {
    const date = startOf(at, day);
    db.prepare(
      'INSERT INTO slow_lost VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count',
    ).run(id, date, lost);
  }
  db.prepare('INSERT OR REPLACE INTO slow_cursor VALUES (?, ?, ?, ?)').run(
    id,
    cursor.runId ?? null,
    cursor.id ?? null,
    cursor.present ? 1 : 0,
  );
}

export function readSlowCursor({ state: { db }, subject }: Series, instance: string): KeptCursor | undefined {
  const row = db
    .prepare('SELECT run_id, id, present FROM slow_cursor WHERE subject = ?')
    .get(subject(instance));
  if (row === undefined) return undefined;
  const runId = row['run_id'];
  return {
    runId: typeof runId === 'string' ? runId : undefined,
    id: typeof row['id'] === 'number' ? row['id'] : undefined,
    present: row['present'] === 1,
  };
}

/** The groups of the days since then, those that took most time first. */
export function readSlow(
  { state: { db }, subject }: Series,
  instance: string,
  since: number,
): { groups: SlowGroup[]; lost: number } {
  const id = subject(instance);
  const from = startOf(since, day);
  const groups = new Map<string, SlowGroup & { histogram: Record<string, number> }>();
  for (const row of db
    .prepare('SELECT * FROM slow WHERE subject = ? AND day >= ? ORDER BY day')
    .all(id, from)) {
    const fingerprint = String(row['fingerprint']);
    const group = groups.get(fingerprint) ?? {
      fingerprint,
      shape: '',
      count: 0,
      total: 0,
      p95: 0,
      worst: 0,
      last: 0,
      clients: [],
      histogram: {},
    };
    group.shape = String(row['shape']);
    group.count += Number(row['count']);
    group.total += Number(row['total']);
    group.worst = Math.max(group.worst, Number(row['worst']));
    group.last = Math.max(group.last, Number(row['last']));
    group.clients = [...new Set([...group.clients, ...toTexts(row['clients'])])].slice(0, mostClients);
    for (const [bucket, count] of Object.entries(toNumbers(row['histogram'])))
      group.histogram[bucket] = (group.histogram[bucket] ?? 0) + count;
    groups.set(fingerprint, group);
  }
  const lost = db
    .prepare('SELECT sum(count) AS lost FROM slow_lost WHERE subject = ? AND day >= ?')
    .get(id, from);
  return {
    groups: [...groups.values()]
      .filter(({ last }) => last >= since)
      .map(({ histogram, ...group }) => ({ ...group, p95: Math.min(group.worst, quantile(histogram, 0.95)) }))
      .toSorted((a, b) => b.total - a.total),
    lost: Number(lost?.['lost'] ?? 0),
  };
}

const bucketOf = (micros: number): number => Math.ceil(Math.log(Math.max(1, micros)) / Math.log(ratio));

function quantile(histogram: Record<string, number>, share: number): number {
  const buckets = Object.entries(histogram)
    .map(([bucket, count]) => [Number(bucket), count] as const)
    .toSorted(([a], [b]) => a - b);
  const rank = share * buckets.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [bucket, count] of buckets) {
    seen += count;
    if (seen >= rank) return Math.round(ratio ** bucket);
  }
  return 0;
}

function toNumbers(json: unknown): Record<string, number> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written above
  return typeof json === 'string' ? (JSON.parse(json) as Record<string, number>) : {};
}

function toTexts(json: unknown): string[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written above
  return typeof json === 'string' ? (JSON.parse(json) as string[]) : [];
}
