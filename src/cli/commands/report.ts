import { extname } from 'node:path';
import { fleetReport } from '../../app/report/gather-fleet.ts';
import { instanceReport } from '../../app/report/make.ts';
import { AgentError } from '../../domain/errors.ts';
import { printable } from '../../lib/text/printable.ts';
import { parseDuration } from '../../lib/time/duration.ts';
import type { ReportDocument } from '../../report/document.ts';
import { defineCommand } from '../define-command.ts';
import { writeOut } from '../write-out.ts';

const formats = ['html', 'text', 'json', 'pdf'] as const;

interface ReportArguments {
  since: string;
  out?: string;
  repository: boolean;
  format?: (typeof formats)[number];
}

interface ReportResult {
  document: ReportDocument;
  /** In the format that was asked for. */
  content: string | Uint8Array;
  written: { path: string; format: string; bytes: number } | null;
}

export const reportCommand = defineCommand<ReportArguments, ReportResult>({
  usage: 'report',
  summary: 'One page: what is wrong, what happened, memory, backups, keys, audit, maintenance',
  sharesRoot: ({ out }) => (out === undefined ? undefined : 'files'),
  writes: ({ out }) => out,
  options: (yargs) =>
    yargs
      .option('since', {
        type: 'string',
        requiresArg: true,
        default: '30d',
        describe: 'How far back: 24h, 30d',
      })
      .option('out', { type: 'string', requiresArg: true, describe: 'Write the page to this file' })
      .option('repository', {
        type: 'boolean',
        default: false,
        describe: 'Every host that writes to the repository, instead of the instances of this one',
      })
      .option('format', {
        requiresArg: true,
        choices: formats,
        describe: 'By the name of the file when left out',
      }),
  examples: [
    ['report --out redis.html', 'a page to send to an auditor: one file, nothing is loaded'],
    ['report --since 7d', 'the same as text'],
    ['report --out redis.pdf', 'on paper, where a browser is installed'],
    ['report --repository --out fleet.html', 'every host that backs up to this repository'],
  ],
  async run(context, { since, out, format, repository }) {
    const span = parseDuration(since);
    if (span === undefined || span === 0)
      throw new AgentError('usage', `--since ${JSON.stringify(since)} is not a length of time`, {
        hint: 'write 24h, 7d or 30d',
      });
    const kind = format ?? formatOf(out);
    if (kind === 'pdf' && out === undefined)
      throw new AgentError('usage', 'a PDF goes into a file', { hint: 'name it: --out report.pdf' });
    const app = await context.app();
    const { signal, clock } = context;
    const made = repository
      ? await fleetReport(app, signal)
      : await instanceReport(app, {
          instances: app.instances(context.globals.instance),
          since: clock.now() - span,
          signal,
        });
    const { document, timezone } = made;
    const path = context.env['PATH'];
    const content = await write(document, timezone, kind, { path, signal });
    if (out === undefined) return { document, content, written: null };
    // It names what an attacker would like to know: not for everybody's eyes.
    await writeOut(out, content, 0o640);
    return { document, content, written: { path: out, format: kind, bytes: Buffer.byteLength(content) } };
  },
  render: ({ content, written, document }, { style }) =>
    written === null
      ? String(content).trimEnd()
      : `${style.good('written')}: ${printable(written.path)}\n${document.verdict.headline}`,
  document: ({ document, written }) => ({ ...document, written }),
});

function formatOf(out: string | undefined): (typeof formats)[number] {
  const extension = out === undefined ? '.txt' : extname(out).toLowerCase();
  if (extension === '.pdf') return 'pdf';
  if (extension === '.html' || extension === '.htm') return 'html';
  return extension === '.json' ? 'json' : 'text';
}

async function write(
  document: ReportDocument,
  timezone: string,
  format: (typeof formats)[number],
  browser: { path: string | undefined; signal: AbortSignal },
): Promise<string | Uint8Array> {
  switch (format) {
    case 'html': {
      const { renderPage } = await import('../../report/html/page.ts');
      return renderPage(document, timezone);
    }
    case 'pdf': {
      const { renderPage } = await import('../../report/html/page.ts');
      const { printPdf } = await import('../../app/report/print-page.ts');
      return await printPdf(renderPage(document, timezone), browser);
    }
    case 'text': {
      const { renderText } = await import('../../report/text.ts');
      return renderText(document, timezone);
    }
    case 'json':
  }
  return `${JSON.stringify(document, null, 2)}\n`;
}
