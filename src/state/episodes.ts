import { atLeast, type Evaluated, type Finding } from '../domain/finding.ts';
import { HeldRows } from './db/held.ts';
import type { State } from './db/open.ts';

/** A finding from when it was first seen until it was not seen any more. Times are milliseconds since the epoch. */
export interface Episode extends Finding {
  /** Never given twice. */
  id: number;
  first_seen: number;
  last_seen: number;
  /** null while it is open. */
  closed_at: number | null;
}

/** What one evaluation has changed: what was open before and still is, is neither. */
export interface EpisodeChanges {
  opened: Episode[];
  closed: Episode[];
}

/** When a finding was last seen is written no more often than that, milliseconds; and a minute apart for different ones. */
const noted = 5 * 60_000;
const spread = 20;

/** That it was seen again is worth a write only now and then: of ten thousand that stay as they are, few each time. */
export function isDue(id: number, lastSeen: number, now: number): boolean {
  return now < lastSeen || now - lastSeen >= noted + ((id % spread) * noted) / spread;
}

/**
 * Makes `findings` the open ones of what was evaluated of one instance: new ones open an episode, known ones are
 * refreshed, and those that were not seen any more are closed, and kept. Of one that is open there is one episode,
 * whatever its severity does. To be called in a transaction.
 */
export function recordFindings(
  state: State,
  { instance, evaluated, now }: { instance: string; evaluated: readonly Evaluated[]; now: number },
  findings: readonly Finding[],
): EpisodeChanges {
  const before = new Map(openRows(state, instance, evaluated).map((row) => [keyOf(row), row]));
  const found = worstOfEach(findings);
  const closed = [...before].filter(([key]) => !found.has(key));
  const close = state.db.prepare('UPDATE episodes SET closed_at = ? WHERE id = ?');
  for (const [, { id }] of closed) {
    close.run(now, id);
    held.drop(state, id);
  }
  const opened: Episode[] = [];
  for (const [key, finding] of found) {
    const known = before.get(key);
    if (known === undefined) opened.push(open(state, finding, now));
    else refresh(state, known, finding, now);
  }
  return { opened, closed: closed.map(([, row]) => ({ ...asEpisode({ ...row }), closed_at: now })) };
}

/** An episode whose evidence is still text: of ten thousand each poll, hardly one is needed. */
type EpisodeRow = Omit<Episode, 'evidence'> & { evidence: string };

const held = new HeldRows<EpisodeRow>((state) =>
  state.db
    .prepare('SELECT * FROM episodes WHERE closed_at IS NULL ORDER BY first_seen, id')
    .all()
    .map((row) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT table has exactly these columns
      return [Number(row['id']), row as unknown as EpisodeRow];
    }),
);

function openRows(state: State, instance: string, evaluated: readonly Evaluated[]): EpisodeRow[] {
  return [...held.of(state).values()].filter((row) => row.instance === instance && covers(evaluated, row));
}

function keyOf({ rule, resource }: Pick<Finding, 'rule' | 'resource'>): string {
  return `${rule}\0${resource}`;
}

/** One thing can be found wrong twice in one look: of that the worst is told, and of equals the first. */
function worstOfEach(findings: readonly Finding[]): Map<string, Finding> {
  const worst = new Map<string, Finding>();
  for (const finding of findings) {
    const other = worst.get(keyOf(finding));
    if (other === undefined || !atLeast(other.severity, finding.severity)) worst.set(keyOf(finding), finding);
  }
  return worst;
}

/** Does an evaluation say something about that finding? */
export function covers(
  evaluated: readonly Evaluated[],
  { rule, resource }: Pick<Finding, 'rule' | 'resource'>,
): boolean {
  return evaluated.some(
    ({ rules, resources }) => rules.includes(rule) && (resources?.includes(resource) ?? true),
  );
}

const bySeverity = `CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END`;

/** All open findings of an instance, worst and oldest first. */
export function openFindings(state: State, instance: string): Episode[] {
  return state.db
    .prepare(
      `SELECT * FROM episodes WHERE instance = ? AND closed_at IS NULL
       ORDER BY ${bySeverity}, first_seen, rule, resource`,
    )
    .all(instance)
    .map(asEpisode);
}

/** What was open at some time since then, of one instance or of all, newest first. */
export function episodesSince(state: State, since: number, instance?: string): Episode[] {
  return state.db
    .prepare(
      `SELECT * FROM episodes WHERE (closed_at IS NULL OR closed_at >= :since)
       AND (:instance IS NULL OR instance = :instance) ORDER BY first_seen DESC, id DESC`,
    )
    .all({ since, instance: instance ?? null })
    .map(asEpisode);
}

/** Drops what was closed before that. */
export function forgetEpisodes(state: State, before: number): void {
  state.db.prepare('DELETE FROM episodes WHERE closed_at < ?').run(before);
}

function open(state: State, finding: Finding, now: number): Episode {
  const evidence = JSON.stringify(finding.evidence);
  const { lastInsertRowid } = state.db
    .prepare(
      `INSERT INTO episodes (instance, rule, resource, severity, summary, remedy, evidence, first_seen, last_seen)
       VALUES (:instance, :rule, :resource, :severity, :summary, :remedy, :evidence, :now, :now)`,
    )
    .run({ ...finding, evidence, now });
  const episode = {
    ...finding,
    id: Number(lastInsertRowid),
    first_seen: now,
    last_seen: now,
    closed_at: null,
  };
  held.put(state, episode.id, { ...episode, evidence });
  return episode;
}

function refresh(state: State, known: EpisodeRow, finding: Finding, now: number): void {
  const { severity, summary, remedy } = finding;
  const evidence = JSON.stringify(finding.evidence);
  const isSame =
    known.severity === severity &&
    known.summary === summary &&
    known.remedy === remedy &&
    known.evidence === evidence;
  if (isSame && !isDue(known.id, known.last_seen, now)) return;
  state.db
    .prepare(
      `UPDATE episodes SET severity = ?, summary = ?, remedy = ?, evidence = ?, last_seen = ? WHERE id = ?`,
    )
    .run(severity, summary, remedy, evidence, now, known.id);
  held.put(state, known.id, { ...known, severity, summary, remedy, evidence, last_seen: now });
}

function asEpisode(row: Record<string, unknown>): Episode {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT table has exactly these columns
  const record = row as unknown as Episode & { evidence: string };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by open and refresh above
  return { ...record, evidence: JSON.parse(record.evidence) as Finding['evidence'] };
}
