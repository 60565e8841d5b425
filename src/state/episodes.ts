import { atLeast, sameFinding, type Evaluated, type Finding } from '../domain/finding.ts';
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

/** What one evaluation has changed. */
export interface EpisodeChanges {
  opened: Episode[];
  /** Open before and after, refreshed; `before` is how it was. */
  seen: { before: Episode; now: Episode }[];
  closed: Episode[];
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
  const before = openFindings(state, instance).filter((episode) => covers(evaluated, episode));
  const closed = before.filter((episode) => !findings.some((finding) => sameFinding(finding, episode)));
  const close = state.db.prepare('UPDATE episodes SET closed_at = ? WHERE id = ?');
  for (const { id } of closed) close.run(now, id);
  const changes: EpisodeChanges = {
    opened: [],
    seen: [],
    closed: closed.map((episode) => ({ ...episode, closed_at: now })),
  };
  for (const finding of worstOfEach(findings)) {
    const known = before.find((episode) => sameFinding(finding, episode));
    if (known === undefined) changes.opened.push(open(state, finding, now));
    else changes.seen.push({ before: known, now: refresh(state, known, finding, now) });
  }
  return changes;
}

/** One thing can be found wrong twice in one look: of that the worst is told, and of equals the first. */
function worstOfEach(findings: readonly Finding[]): Finding[] {
  const worst: Finding[] = [];
  for (const finding of findings) {
    const index = worst.findIndex((other) => sameFinding(other, finding));
    const other = worst[index];
    if (other === undefined) worst.push(finding);
    else if (!atLeast(other.severity, finding.severity)) worst[index] = finding;
  }
  return worst;
}

/** Does an evaluation say something about that finding? */
export function covers(evaluated: readonly Evaluated[], { rule, resource }: Finding): boolean {
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
  const { lastInsertRowid } = state.db
    .prepare(
      `INSERT INTO episodes (instance, rule, resource, severity, summary, remedy, evidence, first_seen, last_seen)
       VALUES (:instance, :rule, :resource, :severity, :summary, :remedy, :evidence, :now, :now)`,
    )
    .run({ ...finding, evidence: JSON.stringify(finding.evidence), now });
  return { ...finding, id: Number(lastInsertRowid), first_seen: now, last_seen: now, closed_at: null };
}

function refresh(state: State, known: Episode, finding: Finding, now: number): Episode {
  const { severity, summary, remedy, evidence } = finding;
  state.db
    .prepare(
      `UPDATE episodes SET severity = ?, summary = ?, remedy = ?, evidence = ?, last_seen = ? WHERE id = ?`,
    )
    .run(severity, summary, remedy, JSON.stringify(evidence), now, known.id);
  return { ...known, ...finding, last_seen: now };
}

function asEpisode(row: Record<string, unknown>): Episode {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT table has exactly these columns
  const record = row as unknown as Episode & { evidence: string };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by open and refresh above
  return { ...record, evidence: JSON.parse(record.evidence) as Finding['evidence'] };
}
