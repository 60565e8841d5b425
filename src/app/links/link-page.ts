import { createHash } from 'node:crypto';
import type { Alert } from '../../domain/alert.ts';
import { AgentError } from '../../domain/errors.ts';
import { localTimezone } from '../../lib/time/timezone.ts';
import { formatTime } from '../../alert/message/item.ts';
import { readLink, type LinkClaim } from '../../lib/signed-link.ts';
import { markup, type Markup } from '../../report/html/markup.ts';
import { alertById } from '../../state/alerts/alerts.ts';
import { dropMarks, lastMark, mark } from '../../state/alerts/marks.ts';
import { acknowledge, silence } from '../alerts/change-alerts.ts';
import type { App } from '../build-app.ts';
import type { Answer } from '../daemon/pages.ts';
import { linkKey } from './link-key.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** What is behind a link in a message. Looking at it changes nothing: mail scanners and previews do. */
export function showLink(app: App, token: string): Answer {
  return behind(app, token, (claim, alert) => page(200, 'Redis alert', ask(claim, alert, zoneOf(app))));
}

/** What was pressed on that page, once. */
export function followLink(app: App, token: string, body: string): Answer {
  const action = /^action=(ack|silence)$/.exec(body)?.[1];
  if (action === undefined) return page(400, 'Not understood', markup`<p>Nothing was changed.</p>`);
  return behind(app, token, (claim, alert) => {
    const author = `a link sent to ${claim.channel}`;
    const now = app.clock.now();
    // Marked first: of two that press at once, or of one that presses twice, only one acts.
    if (!useOnce(app, token, claim)) return used();
    if (action === 'ack') acknowledge(app, Number(alert.id), author);
    else {
      const why = 'from a message, for an hour';
      silence(app, {
        what: String(alert.id),
        instance: undefined,
        resource: undefined,
        span: hour,
        why,
        author,
      });
    }
    app.log.info({ alert: alert.id, action, channel: claim.channel }, 'an alert was changed by a link');
    const done =
      action === 'ack'
        ? 'Acknowledged'
        : `Silenced until ${formatTime(now + hour, zoneOf(app))} ${zoneOf(app)}`;
    return page(200, done, describe(alert, zoneOf(app)));
  });
}

function behind(app: App, token: string, then: (claim: LinkClaim, alert: Alert) => Answer): Answer {
  const { links, public_url: url } = app.settings.alerts;
  if (links === null || url === undefined) return unknown();
  const claim = readLink(token, linkKey(app.settings.state.path));
  if (claim === undefined) return unknown();
  const ended = claim.until * 1000 <= app.clock.now();
  if (ended) return page(410, 'This link has ended', markup`<p>A newer message has a newer one.</p>`);
  if (lastMark(app.state(), markOf(token)) !== undefined) return used();
  const alert = alertById(app.state(), claim.alert);
  if (alert === undefined || alert.state === 'resolved')
    return page(410, 'This alert is over', markup`<p>There is nothing left to do.</p>`);
  try {
    return then(claim, alert);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return page(409, 'That did not work', markup`<p>${error.message}</p>`);
  }
}

const zoneOf = ({ settings }: App): string => settings.timezone ?? localTimezone();

const unknown = (): Answer => page(404, 'There is nothing here', markup``);
const used = (): Answer =>
  page(410, 'This link was used already', markup`<p>A newer message has a newer one.</p>`);

const markOf = (token: string): string => `link ${createHash('sha256').update(token).digest('base64url')}`;

/** False: it was used before. The daemon alone serves links, and nothing comes between the look and the mark. */
function useOnce(app: App, token: string, { until }: LinkClaim): boolean {
  const state = app.state();
  const name = markOf(token);
  if (lastMark(state, name) !== undefined) return false;
  dropMarks(state, 'link ', app.clock.now() - day);
  // Kept until nobody could use it any more.
  mark(state, name, until * 1000);
  return true;
}

function ask({ until }: LinkClaim, alert: Alert, timezone: string): Markup {
  const taken = alert.ack === null ? markup`` : markup`<p>Acknowledged by ${alert.ack.by}.</p>`;
  return markup`${describe(alert, timezone)}${taken}<form method="post"><p><button name="action" value="ack">Acknowledge</button>
Somebody looks after it: it is not repeated until it gets worse or comes back.</p>
<p><button name="action" value="silence">Silence for an hour</button> Nothing is told of it until then.</p></form>
<p class="soft">Good for one use, until ${formatTime(until * 1000, timezone)} ${timezone}.</p>`;
}

/** No more than a message has said. */
function describe(
  { instance, rule, resource, severity, summary, fired_at: fired, since }: Alert,
  timezone: string,
): Markup {
  const name = resource === instance ? rule : `${rule} ${resource}`;
  return markup`<p><b class="${severity}">${severity.toUpperCase()}</b> ${instance}: <b>${name}</b><br>${summary}<br>
<span class="soft">since ${formatTime(fired ?? since, timezone)} ${timezone}</span></p>`;
}

const style =
  ':root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:36rem;padding:0 1rem;overflow-wrap:anywhere}h1{font-size:1.3rem}button{font:inherit;font-weight:600;padding:.6rem 1rem;display:block;margin-bottom:.3rem}.soft{opacity:.75;font-size:.9rem}.critical,.high{color:light-dark(#b3261e,#ff7b80)}.warning{color:light-dark(#7a5900,#e0a83b)}';
const styleHash = createHash('sha256').update(style).digest('base64');

function page(status: number, title: string, body: Markup): Answer {
  const { text } = markup`<h1>${title}</h1>${body}`;
  return {
    status,
    type: 'text/html; charset=utf-8',
    body: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>redis-agent</title><style>${style}</style></head>
<body><main>${text}</main></body></html>
`,
    policy: `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; base-uri 'none'`,
  };
}
