import { parseDuration } from '../../lib/time/duration.ts';
import type { App } from '../build-app.ts';
import type { Watch } from './watch.ts';

/** What is sent back. */
export interface Answer {
  status: number;
  type: string;
  body: string;
  /** Its content security policy; nothing at all is allowed when left out. */
  policy?: string;
}

export function plain(status: number, text: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` };
}

/** A page is made anew after so long, milliseconds: who reloads it in haste asks the servers nothing. */
const kept = 10_000;
/** Servers and the repository have so long to answer. */
const patience = 30_000;
const day = 24 * 60 * 60 * 1000;
/** History is not kept longer. */
const longest = 400 * day;

/** What there is to look at, by its path. None of it changes anything. */
export class Pages {
  readonly #watch: Watch;
  readonly #made = new Map<number, { app: App; at: number; page: Promise<Answer> }>();

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  async answer(app: App, url: string): Promise<Answer> {
    const [path = '', query = ''] = url.split('?', 2);
    switch (path) {
      case '/':
        return await this.#report(app, new URLSearchParams(query).get('since') ?? '30d');
      case '/maintenance.ics':
        return await calendar(app);
      case '/metrics': {
        const { contentType, metricsPage } = await import('./metrics-page.ts');
        return { status: 200, type: contentType, body: await metricsPage(app, this.#watch) };
      }
      case '/healthz':
        return health(this.#watch);
    }
    return plain(404, 'there are / (the report), /maintenance.ics, /metrics and /healthz');
  }

  /** Several who ask at once get the same one. */
  async #report(app: App, since: string): Promise<Answer> {
    const span = parseDuration(since) ?? 0;
    if (span < day / 24 || span > longest) return plain(400, 'since is a length of time from 1h to 400d');
    const now = app.clock.now();
    for (const [known, made] of this.#made)
      if (made.app !== app || now < made.at || now - made.at >= kept) this.#made.delete(known);
    const made = this.#made.get(span);
    if (made !== undefined) return await made.page;
    // Each span is a page of its own: who asks for many waits for a place.
    if (this.#made.size >= 8) return plain(503, 'too many different pages at once; ask again in ten seconds');
    const page = reportPage(app, span);
    this.#made.set(span, { app, at: now, page });
    page.catch(() => this.#made.delete(span));
    return await page;
  }
}

async function reportPage(app: App, span: number): Promise<Answer> {
  const { instanceReport } = await import('../report/make.ts');
  const { contentSecurityPolicy, renderPage } = await import('../../report/html/page.ts');
  const { document, timezone } = await instanceReport(app, {
    instances: app.settings.instances,
    since: app.clock.now() - span,
    signal: AbortSignal.timeout(patience),
  });
  return {
    status: 200,
    type: 'text/html; charset=utf-8',
    body: renderPage(document, timezone),
    policy: contentSecurityPolicy,
  };
}

/** When tasks are due: a feed that a calendar comes back to. */
async function calendar(app: App): Promise<Answer> {
  const { renderCalendar } = await import('../calendar-file.ts');
  const { readMaintenance } = await import('../maintenance.ts');
  const body = renderCalendar(
    app.settings.instances.map(({ name }) => ({ instance: name, tasks: readMaintenance(app, name) })),
  );
  return { status: 200, type: 'text/calendar; charset=utf-8', body };
}

function health(watch: Watch): Answer {
  const reasons = watch.lagging().map((name) => `the loop that watches ${name} has not come round`);
  const body = { status: reasons.length === 0 ? 'ok' : 'failing', reasons };
  const status = reasons.length === 0 ? 200 : 503;
  return { status, type: 'application/json', body: `${JSON.stringify(body)}\n` };
}
