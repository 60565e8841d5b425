import { recordAlerts } from '../alert/record.ts';
import type { Clock } from '../domain/clock.ts';
import { messageOf } from '../domain/errors.ts';
import type { Evaluated, Finding } from '../domain/finding.ts';
import type { Log } from '../domain/log.ts';
import { ring } from '../state/alerts/ring.ts';
import type { State } from '../state/db/open.ts';
import { inTransaction } from '../state/db/transaction.ts';
import { covers, recordFindings, type EpisodeChanges } from '../state/episodes.ts';
import { rulesById } from './rules.ts';

/** What was looked at in one instance, and what was found. */
export interface Evaluation {
  instance: string;
  /** What `findings` are all the findings of: those of it that were open and are not among them are closed. */
  evaluated: readonly Evaluated[];
  findings: readonly Finding[];
  /** Rules of it that could not be judged, for want of data: they neither open nor close anything. */
  unknown?: readonly string[] | undefined;
}

/**
 * The one way in which findings are recorded: what is new opens an episode, what is gone closes one, and
 * the alerts follow, in one transaction.
 * Throws when a finding is of something that was not evaluated (it would never be closed), and then records nothing.
 */
export function recordEvaluation(
  { state, clock, log }: { state: State; clock: Clock; log: Log },
  { instance, evaluated, findings, unknown = [] }: Evaluation,
): EpisodeChanges {
  const judged = evaluated.map(({ rules, resources }) => ({
    rules: rules.filter((rule) => !unknown.includes(rule)),
    resources,
  }));
  requireDeclared(instance, judged, findings);
  const now = clock.now();
  const { changes, news } = inTransaction(state, () => ({
    changes: recordFindings(state, { instance, evaluated: judged, now }, findings),
    news: recordAlerts(state, { instance, evaluated, findings, unknown }, rulesById, now),
  }));
  for (const { rule, resource, severity, summary } of changes.opened)
    log.warn({ rule, resource, severity, summary }, 'finding opened');
  for (const { rule, resource } of changes.closed) log.info({ rule, resource }, 'finding closed');
  if (news) ringFor(state, log);
  return changes;
}

/** Whoever delivers asks again now and then: nothing is lost when nobody hears it. */
function ringFor(state: State, log: Log): void {
  try {
    ring(state.directory);
  } catch (error) {
    log.warn({ cause: messageOf(error) }, 'cannot ring whoever delivers alerts');
  }
}

/** A finding that nobody evaluates is a defect of whoever found it. */
export function requireDeclared(
  instance: string,
  evaluated: readonly Evaluated[],
  findings: readonly Finding[],
): void {
  const stray = findings.find((finding) => finding.instance !== instance || !covers(evaluated, finding));
  if (stray !== undefined)
    throw new Error(
      `a finding of ${stray.rule} about ${stray.resource} of ${stray.instance} is none of what was evaluated of ${instance}`,
    );
}
