import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../../domain/log.ts';
import { openDatabase, type State } from '../db/open.ts';
import { inTransaction } from '../db/transaction.ts';
import { decodeChunk, encodeChunk, mergeRows, type Row } from './columns.ts';
import { seriesMigrations } from './migrations.ts';
import { columnOf, rollUp, type Part } from './roll-up.ts';
import { coarse, hour, middle, mostBytes, raw, startOf, tiers, type Tier } from './tiers.ts';

/** One value of the history, or what a stretch of time came to. */
export interface Point {
  /** Milliseconds since the epoch; the beginning of its stretch. */
  at: number;
  /** Of a counter its last value, thrice. */
  min: number;
  mean: number;
  max: number;
}

export interface Span {
  since: number;
  until: number;
  /** The finest that is wanted, milliseconds; 0: as finely as there is. */
  step?: number;
}

/** Measured values of the past. Losing them loses nothing else. */
export interface Series {
  /** For the tables beside it. */
  readonly state: State;
  /** The number of a subject: an instance, or a part of one. */
  subject: (name: string) => number;
  /** Keeps what was seen at one moment. `isCounter` tells how to roll it up. */
  append(subject: string, at: number, values: Readonly<Record<string, number>>): void;
  /** The same for several subjects, all of them or none. */
  appendAll(at: number, rows: readonly { subject: string; values: Readonly<Record<string, number>> }[]): void;
  /** Oldest first; nothing where nothing was seen. */
  read(subject: string, metric: string, span: Span): Point[];
  /** Bytes that a subject's chunks take. */
  size(subject: string): number;
  metrics(subject: string): string[];
  close: () => void;
}

interface SeriesOptions {
  clock: Clock;
  log: Log;
  isCounter: (metric: string) => boolean;
}

/** Opens `<directory>/series.db`; a damaged one is set aside and begun anew. */
export function openSeries(directory: string, { clock, log, isCounter }: SeriesOptions): Series {
  const state = openDatabase(directory, { file: 'series.db', migrations: seriesMigrations }, { clock, log });
  const { db } = state;
  const ids = new Map<string, number>();
  const subject = (name: string): number => idOf(state, ids, 'subject', name);
  const names = new Map<number, string>();
  const metric = (name: string): number => {
    const id = idOf(state, ids, 'metric', name);
    names.set(id, name);
    return id;
  };
  const isCounterId = (id: number): boolean => {
    const name =
      names.get(id) ?? String(db.prepare('SELECT name FROM metric WHERE id = ?').get(id)?.['name']);
    names.set(id, name);
    return isCounter(name);
  };
  const insert = db.prepare('INSERT OR REPLACE INTO recent (subject, at, data) VALUES (?, ?, ?)');
  const oldest = db.prepare('SELECT min(at) AS first, max(at) AS last FROM recent WHERE subject = ?');

  function recentRows(id: number, since: number, until: number): Row[] {
    return db
      .prepare('SELECT at, data FROM recent WHERE subject = ? AND at >= ? AND at < ? ORDER BY at')
      .all(id, since, until)
      .map((row) => ({ at: Number(row['at']), values: readPairs(row['data']) }));
  }

  function chunkRows(id: number, tier: Tier, start: number): Row[] {
    const row = db
      .prepare('SELECT data FROM chunk WHERE subject = ? AND tier = ? AND start = ?')
      .get(id, tier.id, start);
    return row === undefined ? [] : decoded(row['data'], log);
  }

  const write = db.prepare('INSERT OR REPLACE INTO chunk (subject, tier, start, data) VALUES (?, ?, ?, ?)');

  /** Adds rows to the chunks of a tier, in place of those of the same time. */
  function add(id: number, tier: Tier, rows: readonly Row[]): void {
    const starts = new Set(rows.map(({ at }) => startOf(at, tier.stretch)));
    for (const start of starts) {
      const own = rows.filter(({ at }) => startOf(at, tier.stretch) === start);
      write.run(id, tier.id, start, encodeChunk(mergeRows(chunkRows(id, tier, start), own)));
    }
  }

  /** Turns the hours that are over into chunks, and those into roll-ups. */
  function seal(id: number, now: number): void {
    const current = startOf(now, hour);
    const { first, last } = oldest.get(id) ?? {};
    if (first === null || first === undefined) return;
    if (startOf(Number(first), hour) === current && startOf(Number(last), hour) === current) return;
    const rows = recentRows(id, 0, Number.MAX_SAFE_INTEGER).filter(({ at }) => startOf(at, hour) !== current);
    for (const start of new Set(rows.map(({ at }) => startOf(at, hour)))) {
      add(
        id,
        raw,
        rows.filter(({ at }) => startOf(at, hour) === start),
      );
      const whole = chunkRows(id, raw, start);
      for (const tier of [middle, coarse]) add(id, tier, rollUp(whole, tier.step, isCounterId));
      db.prepare('DELETE FROM recent WHERE subject = ? AND at >= ? AND at < ?').run(id, start, start + hour);
    }
    forget(id, now);
  }

  function forget(id: number, now: number): void {
    const remove = db.prepare('DELETE FROM chunk WHERE subject = ? AND tier = ? AND start < ?');
    for (const tier of tiers) remove.run(id, tier.id, now - tier.keep - tier.stretch);
    for (let bytes = sizeOf(id); bytes > mostBytes; bytes = sizeOf(id)) {
      const victim = db
        .prepare('SELECT tier, start FROM chunk WHERE subject = ? ORDER BY tier, start LIMIT 1')
        .get(id);
      if (victim === undefined) return;
      db.prepare('DELETE FROM chunk WHERE subject = ? AND tier = ? AND start = ?').run(
        id,
        Number(victim['tier']),
        Number(victim['start']),
      );
    }
  }

  function sizeOf(id: number): number {
    const row = db.prepare('SELECT sum(length(data)) AS bytes FROM chunk WHERE subject = ?').get(id);
    return Number(row?.['bytes'] ?? 0);
  }

  /** The rows of one tier within a span; of the hour that is not sealed too, rolled up as it will be. */
  function rowsOf(id: number, tier: Tier, { since, until }: Span): Row[] {
    const sealed = db
      .prepare(
        'SELECT data FROM chunk WHERE subject = ? AND tier = ? AND start > ? AND start < ? ORDER BY start',
      )
      .all(id, tier.id, since - tier.stretch, until)
      .flatMap(({ data }) => decoded(data, log));
    const recent = recentRows(id, startOf(since, hour), until);
    if (tier.step === 0) return mergeRows(sealed, recent).filter(({ at }) => at >= since && at < until);
    // An hour that a clock set back has come to again has a chunk too.
    const hours = new Set(recent.map(({ at }) => startOf(at, hour)));
    const before = [...hours].flatMap((start) => chunkRows(id, raw, start));
    const fresh = rollUp(mergeRows(before, recent), tier.step, isCounterId);
    return mergeRows(sealed, fresh).filter(({ at }) => at >= since && at < until);
  }

  function appendAll(
    at: number,
    all: readonly { subject: string; values: Readonly<Record<string, number>> }[],
  ): void {
    if (all.length === 0) return;
    try {
      inTransaction(state, () => {
        for (const { subject: name, values } of all) {
          const id = subject(name);
          seal(id, at);
          const pairs = Object.entries(values).flatMap(([key, value]) =>
            Number.isFinite(value) ? [metric(key), value] : [],
          );
          insert.run(id, at, new Uint8Array(Float64Array.from(pairs).buffer));
        }
      });
    } catch (error) {
      // Numbers that were given within it were taken back with it.
      ids.clear();
      throw error;
    }
  }

  return {
    state,
    subject,
    append: (name, at, values) => appendAll(at, [{ subject: name, values }]),
    appendAll,
    read(name, key, span) {
      const [id, column] = [subject(name), metric(key)];
      const { step = 0 } = span;
      const wanted = tiers.filter((tier) => tier.step >= startTier(step).step);
      let until = span.until;
      let points: Point[] = [];
      // The finest first; each coarser one goes on where the finer one begins.
      for (const tier of wanted) {
        const rows = rowsOf(id, tier, { since: span.since, until });
        const found = rows.flatMap((row) => pointOf(row, column, tier));
        points = [...found, ...points];
        until = Math.min(until, rows[0] === undefined ? until : startOf(rows[0].at, hour));
      }
      return points;
    },
    size: (name) => sizeOf(subject(name)),
    metrics(name) {
      const id = subject(name);
      const newest = db.prepare('SELECT data FROM recent WHERE subject = ? ORDER BY at DESC LIMIT 1').get(id);
      const chunk = db
        .prepare('SELECT data FROM chunk WHERE subject = ? AND tier = 0 ORDER BY start DESC LIMIT 1')
        .get(id);
      const rows = [
        ...(newest === undefined ? [] : [readPairs(newest['data'])]),
        ...(chunk === undefined ? [] : decoded(chunk['data'], log).map(({ values }) => values)),
      ];
      const seen = new Set(rows.flatMap((values) => [...values.keys()]));
      return db
        .prepare('SELECT id, name FROM metric ORDER BY name')
        .all()
        .filter((row) => seen.has(Number(row['id'])))
        .map((row) => String(row['name']));
    },
    close: () => state.close(),
  };
}

/** The coarsest tier that is fine enough. */
function startTier(step: number): Tier {
  return tiers.findLast((tier) => tier.step <= step) ?? raw;
}

function pointOf({ at, values }: Row, metric: number, tier: Tier): Point[] {
  if (tier.step === 0) {
    const value = values.get(metric);
    return value === undefined ? [] : [{ at, min: value, mean: value, max: value }];
  }
  const part = (name: Part): number | undefined => values.get(columnOf(metric, name));
  const last = part('last');
  if (last !== undefined) return [{ at, min: last, mean: last, max: last }];
  const [min, mean, max] = [part('min'), part('mean'), part('max')];
  return min === undefined || mean === undefined || max === undefined ? [] : [{ at, min, mean, max }];
}

function readPairs(data: unknown): Map<number, number> {
  const values = new Map<number, number>();
  if (!(data instanceof Uint8Array)) return values;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at + 16 <= data.byteLength; at += 16)
    values.set(view.getFloat64(at, true), view.getFloat64(at + 8, true));
  return values;
}

/** A chunk that cannot be read is a gap, and no reason to lose the rest. */
function decoded(data: unknown, log: Log): Row[] {
  try {
    return data instanceof Uint8Array ? decodeChunk(data) : [];
  } catch (error) {
    log.warn(
      { cause: error instanceof Error ? error.message : String(error) },
      'a chunk of the history is damaged',
    );
    return [];
  }
}

function idOf({ db }: State, known: Map<string, number>, table: 'subject' | 'metric', name: string): number {
  const key = `${table} ${name}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  db.prepare(`INSERT OR IGNORE INTO ${table} (name) VALUES (?)`).run(name);
  const id = Number(db.prepare(`SELECT id FROM ${table} WHERE name = ?`).get(name)?.['id']);
  known.set(key, id);
  return id;
}
