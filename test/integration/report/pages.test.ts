import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { auditDocument } from '../../../src/app/report/audit-document.ts';
import { judgeFacts } from '../../../src/harden/audit/judge.ts';
import { findBrowser } from '../../../src/lib/process/find-browser.ts';
import { renderPage } from '../../../src/report/html/page.ts';
import { buildReport } from '../../../src/report/model/index.ts';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { fileFacts } from '../../support/data/audit-facts.ts';
import { busyInstance } from '../../support/data/busy-report.ts';
import { sampleFacts, sampleInstance } from '../../support/data/sample-report.ts';
import { everything } from '../../support/house/tier.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const browserProgram = findBrowser(process.env['PATH']);
/** Pictures of every page, to be looked at. */
const pictures = '.cache/pages';

const hostile = [
  '<script>window.taken = 1</script><img src=x onerror="window.taken = 1">',
  '"><svg onload=window.taken=1>',
  '\u001b[31m\u202emain\u0000\ud800',
  Buffer.from([0xff, 0xfe, 0x3c, 0x62]).toString('utf8'),
  'https://evil.example/?'.padEnd(1_000_000, 'x'),
].join(' ');

function hostileInstance() {
  const busy = busyInstance();
  for (const key of busy.keyspace?.newest.keys ?? []) key.key = hostile;
  return {
    ...busy,
    findings: busy.findings.map((finding) => ({ ...finding, summary: hostile, remedy: hostile })),
    slow: [{ fingerprint: hostile, count: 1, totalMs: 1, p95Ms: 1, worstMs: 1 }],
    queues: busy.queues.map((queue) => ({ ...queue, name: hostile })),
    notices: [{ at: 0, channel: hostile, subject: hostile, outcome: hostile }],
  };
}

const openConf = 'bind 0.0.0.0\nprotected-mode no\nport 6379\nrequirepass redis\nenable-debug-command yes\n';
const report = (...instances: Parameters<typeof sampleFacts>): string =>
  renderPage(buildReport(sampleFacts(...instances)), 'UTC');

const pages: [name: string, make: () => string][] = [
  ['report', () => report(busyInstance(), sampleInstance({ name: 'cache' }))],
  ['hostile-names', () => report(hostileInstance())],
  ['audit', () => renderPage(auditDocument([judgeFacts(fileFacts(openConf), { waivers: [] })]), 'UTC')],
];

type Screen = readonly [width: number, scheme: 'light' | 'dark'];
const [wide, narrow]: [Screen, Screen] = [
  [1280, 'light'],
  [390, 'dark'],
];

/** Where a page is looked at: what most look at on both, the others in a usual run on one. */
function screensOf(name: string): Screen[] {
  if (everything) return [wide, narrow, [1280, 'dark'], [390, 'light']];
  return name === 'report' ? [wide, narrow] : [name === 'audit' ? wide : narrow];
}

let browser: Browser;
beforeAll(async () => {
  if (browserProgram === undefined) return;
  // The tests run as root too, where there is no sandbox to be had.
  browser = await chromium.launch({ executablePath: browserProgram, args: ['--no-sandbox'] });
  mkdirSync(pictures, { recursive: true });
});
afterAll(async () => {
  await browser?.close();
});

interface Looked {
  page: Page;
  /** What the page said, asked for, or tried. */
  events: string[];
}

async function open(html: string, colorScheme: 'light' | 'dark', width: number): Promise<Looked> {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const file = join(folder, 'page.html');
  writeFileSync(file, html);
  const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
  onTestFinished(() => page.close());
  const events: string[] = [];
  const url = pathToFileURL(file).href;
  page.on('console', (message) => events.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => events.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => events.push(`dialog: ${dialog.message()}`));
  page.on('request', (asked) => {
    if (asked.url() !== url) events.push(`request: ${asked.url().slice(0, 200)}`);
  });
  await page.goto(url);
  return { page, events };
}

describe.skipIf(browserProgram === undefined).each(pages)('%s, in a browser', (name, make) => {
  test.each(screensOf(name))(
    '%i wide, %s: quiet, within its width, and readable for everybody',
    async (width, scheme) => {
      const { page, events } = await open(make(), scheme, width);
      await page.screenshot({ path: join(pictures, `${name}-${width}-${scheme}.png`), fullPage: true });
      expect(events).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(await page.evaluate('typeof window.taken')).toBe('undefined');
      await page.evaluate(axe.source);
      const found = await page.evaluate(
        `axe.run(document).then(({ violations, passes }) => passes.length < 10 ? ['axe tried nothing'] : violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html.slice(0, 200)).join(' ')))`,
      );
      expect(found).toEqual([]);
    },
  );

  // One style sheet serves them all.
  test.runIf(everything || name === 'report')(
    'on paper: light, whatever its reader likes on a screen',
    async () => {
      const { page, events } = await open(make(), 'dark', 1280);
      const pdf = await page.pdf({ preferCSSPageSize: true, path: join(pictures, `${name}.pdf`) });
      expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
      await page.emulateMedia({ media: 'print' });
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
        'rgb(255, 255, 255)',
      );
      expect(events).toEqual([]);
    },
  );
});

describe.skipIf(browserProgram === undefined)('the policy of a page', () => {
  test('lets nothing run or go out, even where something was slipped in', async () => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    const there = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const slipped = `<script>window.taken = 1</script><img src="${there}/img" onerror="window.taken = 1">
      <link rel="stylesheet" href="${there}/css"><iframe src="${there}/frame"></iframe>
      <script src="${there}/js"></script><p style="background: url(${there}/style)">x</p>`;
    const { page, events } = await open(
      report(busyInstance()).replace('<main>', `<main>${slipped}`),
      'light',
      1280,
    );
    expect(await page.evaluate('typeof window.taken')).toBe('undefined');
    expect(events.filter((event) => event.includes('Content Security Policy')).length).toBeGreaterThanOrEqual(
      5,
    );
    expect(asked).toEqual([]);
  });
});

describe('report --out FILE.pdf', () => {
  test.skipIf(browserProgram === undefined)('is what a browser prints', async () => {
    const config = writeConfig({});
    const out = join(config.folder, 'report.pdf');
    const { code, stdout } = await runAgent(['report', '--out', out], { config });
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining(`written: ${out}`) });
    expect(readFileSync(out).subarray(0, 5).toString()).toBe('%PDF-');
  });

  test('into no file is refused', async () => {
    const { code, stderr } = await runAgent(['report', '--format', 'pdf'], { config: writeConfig({}) });
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('--out report.pdf') });
  });
});
