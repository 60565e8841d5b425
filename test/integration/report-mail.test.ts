import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/lib/time/system-clock.ts';
import { runAgent, writeConfig, type TestConfig } from '../support/agent/cli.ts';
import { startDaemonHere, type DaemonHere } from '../support/agent/daemon-here.ts';
import { planned, serverWithKey } from '../support/agent/daemon.ts';
import { canServeMail, startMailServer } from '../support/alerts/mail-server.ts';
import { startHookServer } from '../support/alerts/hook-server.ts';
import {
  attachment,
  header,
  startSmtp,
  textPart,
  type Mail,
  type TestSmtp,
} from '../support/alerts/smtp-server.ts';
import { findBrowser } from '../../src/lib/process/find-browser.ts';
import { startSlack } from '../support/alerts/slack-server.ts';
import type { MovingClock } from '../support/clocks/moving-clock.ts';
import { everything } from '../support/house/tier.ts';
import { makeTempFolder, removeTempFolder } from '../support/house/temp-folder.ts';
import { startBusyServer, type ClockOfBoth } from '../support/servers/busy-server.ts';
import { makeCertificates } from '../support/servers/certificates.ts';
import type { TestServer } from '../support/servers/redis-server.ts';

const minute = 60 * 1000;
const hour = 60 * minute;
const day = 24 * hour;
const images = join(import.meta.dirname, '../../docs/images');
/** Days after the quarter has begun. */
const after = everything ? 91 : 12;

const settings = (server: TestServer, smtp: TestSmtp, more: Record<string, unknown>) => {
  const options = planned(server, { schedule: '0 6 * * *' });
  const mail = {
    name: 'mail',
    type: 'email',
    from: 'redis-agent@example.org',
    to: ['ops@example.org'],
    smtp: { url: `smtp://127.0.0.1:${smtp.port}`, verify: false },
  };
  return { ...options, settings: { ...options.settings, alerts: { channels: [mail] }, ...more } };
};

/** Where everything is run and it can be had, Debian's Exim with somebody's box; else our own server. */
async function startPost(): Promise<TestSmtp> {
  if (!everything || !canServeMail) return startSmtp();
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const mailServer = await startMailServer(folder, {
    tls: makeCertificates(folder),
    password: 'smtp-p4ssword',
  });
  return {
    port: mailServer.port,
    hanging: 0,
    faults: {},
    get mails() {
      return mailServer
        .box('ops')
        .map((source) => ({ from: '', to: [], source, secure: false, user: undefined }));
    },
  };
}

/** A clock that the server does not follow. */
function alone(clock: MovingClock): ClockOfBoth {
  const forward = (ms: number): Promise<void> => Promise.resolve(clock.forward(ms));
  return { now: () => clock.now(), forward, jump: forward };
}

const about = (smtp: TestSmtp, what: string): Mail[] =>
  smtp.mails.filter(({ source }) => header(source, 'subject')?.startsWith(`[redis-agent] ${what}`) === true);
const sentAt = ({ source }: Mail): string => new Date(header(source, 'date') ?? '').toISOString();
const until = async (what: () => unknown, expected: unknown): Promise<void> => {
  await expect.poll(what, { interval: 20 }).toEqual(expected);
};

/** Days at eight, as an expression for Mondays gives them. */
function mondays(from: number, to: number): string[] {
  const all: string[] = [];
  for (let at = Math.ceil(from / day) * day + 8 * hour; at < to; at += day)
    if (new Date(at).getUTCDay() === 1) all.push(new Date(at).toISOString().slice(0, 10));
  return all;
}

function nextQuarter(now: number): number {
  const date = new Date(now + 12 * day);
  return Date.UTC(date.getUTCFullYear(), 3 * Math.floor(date.getUTCMonth() / 3) + 3, 1);
}

test('a quarter: a report on each Monday, the audit on its first day, each with what was so then', async () => {
  const world = everything ? await startBusyServer() : undefined;
  const [server, smtp] = [world?.server ?? (await serverWithKey()), await startPost()];
  const config = writeConfig(settings(server, smtp, { report: {} }));
  const daemon = startDaemonHere(config);
  await backedUp(daemon, 1);
  const clock = world?.moving(daemon.clock) ?? alone(daemon.clock);
  const quarter = nextQuarter(clock.now());
  const [first, last] = [quarter - 10 * day, quarter + after * day];
  const expected = mondays(first, last);
  await clock.jump(first - clock.now());
  await backedUp(daemon, 2);
  const broken = { from: expected[1] ?? '', to: expected[2] ?? '' };
  // That of the weeks that went by at once.
  let reports = 1;
  await until(() => about(smtp, 'report of main').length, reports);
  for (let morning = first + day; morning < last; morning += day) {
    const date = new Date(morning).toISOString().slice(0, 10);
    // For one week nothing can be saved.
    const works = date <= broken.from || date > broken.to;
    if (date === broken.from) await server.call('ACL', 'SETUSER', 'default', '+bgsave');
    await server.call('ACL', 'SETUSER', 'default', works ? '+bgsave' : '-bgsave');
    // Whatever the backup of this day comes to: while one runs the clock stays, since it has an hour.
    const [pruned, failed] = [backupsOf(daemon), failuresOf(daemon)];
    await clock.forward(morning + 6 * hour - clock.now());
    if (works) await backedUp(daemon, pruned + 1);
    else await until(() => failuresOf(daemon) > failed && isOpen(daemon), true);
    await clock.forward(morning + 8 * hour - clock.now());
    if (expected.includes(date)) {
      reports += 1;
      await until(() => about(smtp, 'report of main').length, reports);
    }
    if (morning === quarter) await until(() => about(smtp, 'audit of main').length, 1);
    // A person's task, which nobody does: due on the first day, and a week later overdue.
    const told = new Map([
      [quarter, 'WARNING: task-due failover-test'],
      [quarter + 7 * day, 'WARNING: task-overdue failover-test'],
      [quarter + 8 * day, 'still WARNING: task-overdue failover-test'],
    ]).get(morning);
    if (told === undefined) continue;
    await clock.forward(morning + 8 * hour + 10 * minute - clock.now());
    await until(
      () => isOpen(daemon, told.includes('task-due') ? 'task-due' : 'task-overdue', 'failover-test'),
      true,
    );
    await clock.forward(6 * minute);
    // Where more happens on a day, a mail about that says so too.
    const days = (): string[] => (world === undefined ? saying(smtp, told) : saying(smtp, told).slice(-1));
    await until(days, [date]);
  }

  const mails = about(smtp, 'report of main').slice(1);
  expect(mails.map((mail) => sentAt(mail).slice(0, 13))).toEqual(expected.map((date) => `${date}T08`));
  for (const [index, mail] of mails.entries()) {
    const failed = expected[index] === broken.to;
    const text = textPart(mail.source).replaceAll('\r\n', '\n');
    // The server's own clock goes on as before: how old a backup is cannot be held to anything here.
    expect(text.includes('backup failed'), `${expected[index]}: ${text}`).toBe(failed);
    const [html, plain] = ['html', 'txt'].map((kind) =>
      attachment(mail.source, `redis-report-main-${expected[index]}.${kind}`),
    );
    // The page, the text beside it and the mail say the same.
    const verdict = text.split('\n\n')[1]?.replaceAll('\n', ' ') ?? '?';
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).toContain(verdict);
    expect(plain).toContain(verdict);
    expect(mail.source).not.toMatch(/In-Reply-To/i);
  }
  const [audit] = about(smtp, 'audit of main');
  expect(audit && sentAt(audit).slice(0, 10)).toBe(new Date(quarter).toISOString().slice(0, 10));
  const score = /Score +(\d+ of 100)/.exec(textPart(audit?.source ?? ''))?.[1];
  const page = attachment(
    audit?.source ?? '',
    `redis-audit-main-${new Date(quarter).toISOString().slice(0, 10)}.html`,
  );
  expect(page).toContain(`>${score}<`);

  if (world !== undefined) await drawQuarter(config, clock.now());

  // Three weeks of sleep: one report, and not three.
  const pruned = backupsOf(daemon);
  await clock.jump(21 * day);
  await until(() => about(smtp, 'report of main').length, reports + 1);
  await backedUp(daemon, pruned + 1);
  await daemon.stop();
  expect(about(smtp, 'report of main')).toHaveLength(reports + 1);
  expect(about(smtp, 'audit of main')).toHaveLength(after + 21 > 90 ? 2 : 1);
}, 900_000);

/** What the page of those three months looks like; with WRITE_DOCS=1 it is what docs/report.md shows. */
async function drawQuarter(config: TestConfig, now: number): Promise<void> {
  const file = join(config.folder, 'quarter.html');
  const { code, stderr } = await runAgent(['report', '--since', '91d', '--out', file], {
    config,
    clock: { ...systemClock, now: () => now },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr });
  const program = findBrowser(process.env['PATH']);
  if (program === undefined) return;
  const folder = process.env['WRITE_DOCS'] === '1' ? images : config.folder;
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ colorScheme: 'light', viewport: { width: 1280, height: 1500 } });
    await page.goto(pathToFileURL(file).href);
    await page.screenshot({ path: join(folder, 'quarter.png') });
    await page.pdf({ preferCSSPageSize: true, path: join(config.folder, 'quarter.pdf') });
  } finally {
    await browser.close();
  }
}

/** Backups and what follows on them; the next one that is due is not left out because of them. */
async function backedUp(daemon: DaemonHere, count: number): Promise<void> {
  await daemon.until({ job: 'prune', message: /backups? removed/ }, count);
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const backupsOf = ({ entries }: DaemonHere): number =>
  entries.filter(({ job, message }) => job === 'prune' && /backups? removed/.test(message)).length;
const failuresOf = ({ entries }: DaemonHere): number =>
  entries.filter(({ job, message }) => job === 'backup' && message === 'job failed').length;

const isOpen = ({ entries }: DaemonHere, wanted = 'backup-failed', about_ = 'main'): boolean =>
  entries.findLast(({ rule, resource }) => rule === wanted && resource === about_)?.message ===
  'finding opened';

/** The days of the mails that have such a line. */
const saying = (smtp: TestSmtp, line: string): string[] =>
  smtp.mails
    .filter(({ source }) => textPart(source).split('\r\n').includes(line))
    .map((mail) => sentAt(mail).slice(0, 10));

test('a report waits for a mail server that is away, with its files, and goes to Slack as a verdict', async () => {
  const [server, smtp, hook] = [
    await serverWithKey(),
    await startSmtp(),
    await startHookServer({ status: 200, body: 'ok' }),
  ];
  smtp.faults.greylist = 1;
  const config = writeConfig({ server });
  const options = settings(server, smtp, { report: {} });
  const chat = {
    name: 'chat',
    type: 'slack',
    webhook: config.secret('slack', `${hook.url}/services/T0/B0/s3cret`),
  };
  const slack = await startSlack('xoxb-s3cret-2');
  const bot = {
    name: 'bot',
    type: 'slack',
    token: config.secret('bot', 'xoxb-s3cret-2'),
    channel: '#ops',
    api: slack.api,
  };
  config.rewrite({
    ...options,
    settings: { ...options.settings, alerts: { channels: [...options.settings.alerts.channels, chat, bot] } },
  });
  const daemon = startDaemonHere(config);
  await backedUp(daemon, 1);
  daemon.clock.forward(7 * day);
  await daemon.until({ message: 'alert not sent', channel: 'mail' });
  await until(() => hook.requests.some(({ json }) => json.text.startsWith('Redis: main: ')), true);
  daemon.clock.forward(30_000);
  await until(() => about(smtp, 'report of main').length, 1);
  if (findBrowser(undefined) !== undefined) await until(() => slack.shared.length, 1);
  await daemon.stop();
  const [mail] = about(smtp, 'report of main');
  expect(attachment(mail?.source ?? '', /redis-report-main-[\d-]+\.html/)).toMatch(/^<!doctype html>/);
  const verdict = hook.requests.find(({ json }) => json.text.startsWith('Redis: main: '))?.json;
  expect(JSON.stringify(verdict.blocks)).toContain('Newest backup');
  // A mail has the page itself.
  expect(mail?.source).not.toContain('image/png');
  expect(slack.posted.map(({ json }) => json.text)).toContainEqual(expect.stringMatching(/^Redis: main: /));
  if (findBrowser(undefined) === undefined) return;
  const [shared] = slack.shared;
  expect(shared?.name).toMatch(/^redis-report-main-[\d-]+\.png$/);
  // PNG, as wide as the page is made for.
  expect(shared?.bytes.subarray(1, 4).toString()).toBe('PNG');
  expect(shared?.bytes.readUInt32BE(16)).toBe(1280);
});

test.for<[what: string, report: Record<string, unknown>, said: string]>([
  ['a channel that is not there', { to: ['mails'] }, 'did you mean mail?'],
  ['a channel that takes none', { to: ['hook'] }, 'names a channel of e-mail or Slack that is not there'],
  ['nonsense', { since: 'soon' }, 'report.since'],
])('%s is refused', async ([, report, said]) => {
  const config: TestConfig = writeConfig({});
  const smtp = { url: 'smtp://127.0.0.1:25' };
  const channels = [
    { name: 'mail', type: 'email', from: 'a@example.org', to: ['b@example.org'], smtp },
    { name: 'hook', type: 'webhook', url: config.secret('hook', 'https://hook.example.org/x') },
  ];
  config.rewrite({ settings: { alerts: { channels }, report } });
  const { code, stderr } = await runAgent(['config', 'check'], { config });
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(said) });
});

test('without a channel that takes one, it is refused', async () => {
  const config = writeConfig({ settings: { report: {} } });
  const { code, stderr } = await runAgent(['config', 'check'], { config });
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('nobody to send to') });
});
