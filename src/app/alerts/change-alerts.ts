import { askedBy } from '../../lib/process/asked-by.ts';
import type { Alert, SilenceMatch } from '../../domain/alert.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { formerNames } from '../../domain/former-names.ts';
import { matches } from '../../alert/engine/match.ts';
import { closest } from '../../lib/text/closest.ts';
import { alertById, storeAlerts } from '../../state/alerts/alerts.ts';
import { ring } from '../../state/alerts/ring.ts';
import { addSilence, endSilence } from '../../state/alerts/silences.ts';
import { inTransaction } from '../../state/db/transaction.ts';
import type { App } from '../build-app.ts';
import { rules } from '../rules.ts';

export interface SilenceRequest {
  /** An alert's number, or a rule, in which `*` stands for anything. */
  what: string;
  instance: string | undefined;
  resource: string | undefined;
  /** Milliseconds. */
  span: number;
  why: string;
  /** Who says so, where it is not who runs this. */
  author?: string;
}

/** Nobody remembers a longer one. */
const longestSilence = 90 * 24 * 60 * 60 * 1000;

/** Holds back what fits from now on, until it ends. Returns the silence's number and its end. */
export function silence(
  app: App,
  { what, instance, resource, span, why, author = askedBy(process.env) }: SilenceRequest,
): { id: number; until: number; match: SilenceMatch } {
  if (why.trim() === '') throw usage('a silence needs a reason', 'say it with --why');
  if (span <= 0 || span > longestSilence)
    throw usage(
      'a silence ends, within 90 days',
      'say --for 2h or --for 7d; what is meant to stay: redis-agent explain the rule, or a route to nobody',
    );
  const match = matchOf(app, what, { instance, resource });
  const now = app.clock.now();
  const until = now + span;
  const id = addSilence(app.state(), { match, from: now, until, author, why });
  ringAbout(app);
  return { id, until, match };
}

export function unsilence(app: App, id: number): void {
  if (!endSilence(app.state(), id, app.clock.now()))
    throw usage(`there is no silence ${id} that has not ended`, 'see them: redis-agent alerts list');
  ringAbout(app);
}

/** Somebody has taken it on: it is not repeated and goes to nobody further, until it gets worse or fires again. */
export function acknowledge(app: App, id: number, by = askedBy(process.env)): Alert {
  const state = app.state();
  const alert = inTransaction(state, () => {
    const found = openAlert(app, id);
    const acknowledged: Alert = {
      ...found,
      ack: { by, at: app.clock.now(), severity: found.severity },
    };
    storeAlerts(state, [acknowledged]);
    return acknowledged;
  });
  ringAbout(app);
  return alert;
}

/** By its number. Throws an AgentError `usage`. */
export function findAlert(app: App, id: number): Alert {
  const found = alertById(app.state(), id);
  if (found !== undefined) return found;
  throw usage(`there is no alert ${id}`, 'see them: redis-agent alerts list --all');
}

function openAlert(app: App, id: number): Alert {
  const found = findAlert(app, id);
  if (found.state !== 'resolved') return found;
  throw usage(`alert ${id} is over`, 'see what is open: redis-agent alerts list');
}

function matchOf(
  app: App,
  what: string,
  more: { instance: string | undefined; resource: string | undefined },
): SilenceMatch {
  const narrowed: SilenceMatch = {
    ...(more.instance === undefined ? {} : { instance: app.instance(more.instance).name }),
    ...(more.resource === undefined ? {} : { resource: more.resource }),
  };
  if (/^\d+$/.test(what)) return { alert: Number(openAlert(app, Number(what)).id), ...narrowed };
  const ids = rules.map(({ id }) => id);
  if ([...ids, ...formerNames.map(({ was }) => was)].some((id) => matches(what, id)))
    return { rule: what, ...narrowed };
  const near = closest(what, ids);
  throw usage(
    `there is no rule ${JSON.stringify(what)}`,
    near === undefined ? 'see all of them: redis-agent explain' : `did you mean ${near}?`,
  );
}

function ringAbout(app: App): void {
  try {
    ring(app.settings.state.path);
  } catch (error) {
    app.log.warn({ cause: messageOf(error) }, 'cannot ring whoever delivers alerts');
  }
}

function usage(message: string, hint: string): AgentError {
  return new AgentError('usage', message, { hint });
}
