import type { Notice, NoticeFile, ReportNotice } from '../../domain/alert.ts';
import { messageOf } from '../../domain/errors.ts';
import type { ChannelSettings } from '../../domain/settings/alerts.ts';
import { reportChannelTypes } from '../../domain/settings/report.ts';
import type { AuditReport } from '../../harden/audit/report.ts';
import type { ReportDocument, Table } from '../../report/document.ts';
import { lastMark, mark } from '../../state/alerts/marks.ts';
import { keepFiles } from '../../state/alerts/files.ts';
import { enqueue } from '../../state/alerts/outbox.ts';
import { ring } from '../../state/alerts/ring.ts';
import { inTransaction } from '../../state/db/transaction.ts';
import type { App } from '../build-app.ts';

/** When a report was last put into the outbox. */
const sentMark = 'report';

/** When the last report was sent, milliseconds; undefined: never. */
export function lastReport(app: App): number | undefined {
  return lastMark(app.state(), sentMark);
}

/** Makes the report and puts it into the outbox; from there it goes as every notice does. */
export async function sendReport(app: App, signal: AbortSignal): Promise<void> {
  const { settings, clock } = app;
  if (settings.report === undefined) return;
  const { gatherReport } = await import('./gather.ts');
  const { buildReport } = await import('../../report/model/index.ts');
  const { overviewOf } = await import('../../report/model/overview.ts');
  const since = clock.now() - settings.report.since;
  const facts = await gatherReport(app, { instances: settings.instances, since, signal });
  const { instances, timezone, host } = facts;
  const [only] = instances.length === 1 ? instances : [];
  await post(
    app,
    {
      document: buildReport(facts),
      table: overviewOf(facts),
      timezone,
      kind: 'report',
      instance: only?.name ?? '',
      title: `report of ${only?.name ?? host}`,
      marked: sentMark,
    },
    signal,
  );
}

/** The scheduled audit's page, where reports are sent and this is not switched off. */
export async function sendAudit(
  app: App,
  instance: string,
  report: AuditReport,
  signal: AbortSignal,
): Promise<void> {
  if (app.settings.report?.audit !== true) return;
  const { auditDocument, auditTable } = await import('./audit-document.ts');
  await post(
    app,
    {
      document: auditDocument([report]),
      table: auditTable([report]),
      timezone: 'UTC',
      kind: 'audit',
      instance,
      title: `audit of ${instance}`,
      marked: undefined,
    },
    signal,
  );
}

interface Posted {
  document: ReportDocument;
  table: Table;
  timezone: string;
  kind: 'report' | 'audit';
  instance: string;
  title: string;
  /** Noted in the same transaction: what was put into the outbox once is not put there again. */
  marked: string | undefined;
}

async function post(
  app: App,
  { document, table, timezone, kind, instance, title, marked }: Posted,
  signal: AbortSignal,
): Promise<void> {
  const { renderPage } = await import('../../report/html/page.ts');
  const { renderText } = await import('../../report/text.ts');
  const { shortOf } = await import('../../report/model/short.ts');
  const { settings, clock } = app;
  const state = app.state();
  const now = clock.now();
  const stem = `redis-${kind}${instance === '' ? '' : `-${instance}`}-${document.generatedAt.slice(0, 10)}`;
  const channels = takersOf(app);
  const page = app.redact(renderPage(document, timezone));
  const files: NoticeFile[] = [
    {
      name: `${stem}.html`,
      type: 'text/html; charset=utf-8',
      content: Buffer.from(page),
    },
    {
      name: `${stem}.txt`,
      type: 'text/plain; charset=utf-8',
      content: Buffer.from(app.redact(renderText(document, timezone))),
    },
    ...(channels.some(takesPicture) ? await pictureOf(app, page, `${stem}.png`, signal) : []),
  ];
  const named: ReportNotice['files'] = [
    { name: `${stem}.html`, what: 'the whole, as a page for a browser' },
    { name: `${stem}.txt`, what: 'the same as plain text' },
  ];
  const thread = `${kind}-${instance}-${now.toString(36)}`;
  const report = shortOf(document, table, named);
  inTransaction(state, () => {
    keepFiles(state, thread, files);
    enqueue(
      state,
      channels.map(({ name: channel, type }): Notice => {
        const own = type === 'email' ? report : { ...report, files: [] };
        return {
          key: '',
          kind: 'report',
          channel,
          instance,
          thread,
          title,
          at: now,
          items: [],
          more: 0,
          report: own,
        };
      }),
    );
    if (marked !== undefined) mark(state, marked, now);
  });
  app.log.info({ what: kind, channels: channels.map(({ name }) => name) }, `${kind} to be sent`);
  ring(settings.state.path);
}

/** A web hook of Slack's takes text only. */
function takesPicture(channel: ChannelSettings): boolean {
  return channel.type === 'slack' && channel.token !== undefined;
}

/** None where no browser draws it: the verdict goes out all the same. */
async function pictureOf(app: App, page: string, name: string, signal: AbortSignal): Promise<NoticeFile[]> {
  const { takePicture } = await import('./print-page.ts');
  try {
    const content = await takePicture(page, { path: undefined, signal });
    return content === undefined ? [] : [{ name, type: 'image/png', content }];
  } catch (error) {
    signal.throwIfAborted();
    app.log.warn({ cause: messageOf(error) }, 'the report goes out without its picture');
    return [];
  }
}

function takersOf({ settings }: App): ChannelSettings[] {
  return settings.alerts.channels.filter(
    ({ name, type }) => reportChannelTypes.includes(type) && settings.report?.to?.includes(name) !== false,
  );
}
