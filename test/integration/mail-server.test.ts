import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Sent } from '../../src/alert/channels/channel.ts';
import { openEmail } from '../../src/alert/channels/email.ts';
import type { EmailChannelSettings } from '../../src/domain/settings/alerts.ts';
import { findBrowser } from '../../src/lib/process/find-browser.ts';
import { canServeMail, startMailServer, type MailServer } from '../support/alerts/mail-server.ts';
import { noticeOf, resolved, tools } from '../support/alerts/notices.ts';
import { header, textPart } from '../support/alerts/smtp-server.ts';
import { everything } from '../support/house/tier.ts';
import { makeTempFolder, removeTempFolder } from '../support/house/temp-folder.ts';
import { makeCertificates, type Certificates } from '../support/servers/certificates.ts';

const password = 'smtp-p4ssword';
const browserProgram = findBrowser(process.env['PATH']);
const mailbox = { interval: 20 };
let folder: string;
let tls: Certificates;

beforeAll(() => {
  folder = makeTempFolder();
  tls = makeCertificates(folder);
});
afterAll(() => removeTempFolder(folder));

async function serve(): Promise<MailServer> {
  const own = makeTempFolder();
  onTestFinished(() => removeTempFolder(own));
  return startMailServer(own, { tls, password });
}

async function send(
  to: string,
  port: number,
  smtp: Partial<EmailChannelSettings['smtp']> = {},
  notice = noticeOf(),
): Promise<Sent> {
  const channel = openEmail(
    {
      name: 'mail',
      type: 'email',
      from: 'Redis <redis-agent@example.org>',
      to: [`${to}@example.org`],
      smtp: { url: `smtp://127.0.0.1:${port}`, tls: 'opportunistic', verify: false, ...smtp },
    },
    tools,
  );
  const sent = await channel.send(notice, { signal: new AbortController().signal, reference: undefined });
  expect(JSON.stringify(sent)).not.toContain(password);
  return sent;
}

describe.skipIf(!canServeMail)('exim', () => {
  test('takes what is sent, over TLS where it offers that, with a password where there is one', async () => {
    const server = await serve();
    expect(await send('ops', server.port)).toMatchObject({ ok: true });
    expect(
      await send('ops', server.port, { username: 'agent', password: { env: password }, tls: 'required' }),
    ).toMatchObject({ ok: true });
    expect(await send('ops', server.port, { tls: 'off' })).toMatchObject({ ok: true });
    await expect.poll(() => server.box('ops').length, mailbox).toBe(3);
    const ways = server.box('ops').map((mail) => /with (esmtp\w*)/.exec(mail)?.[1] ?? '');
    expect(ways.toSorted()).toEqual(['esmtp', 'esmtps', 'esmtpsa']);
    expect(server.log()).toContain('A=plain:agent');
  });

  test('says no in many ways, and each is told as what it is', async () => {
    const server = await serve();
    expect(await send('nobody', server.port)).toMatchObject({
      ok: false,
      again: 'refused',
      problem: expect.stringContaining('5.1.1 no such user here'),
    });
    expect(await send('ops', server.port, { username: 'agent', password: { env: 'other' } })).toMatchObject({
      ok: false,
      again: 'never',
      remedy: 'correct smtp.username and smtp.password',
    });
    expect(await send('private', server.port, { tls: 'off' })).toMatchObject({
      ok: false,
      again: 'later',
      problem: expect.stringContaining('takes no mail without TLS'),
      remedy: expect.stringContaining('smtp.tls: required'),
    });
    expect(await send('ops', server.port, { tls: 'required', verify: true })).toMatchObject({
      ok: false,
      again: 'later',
      problem: expect.stringContaining('its certificate is not trusted'),
      remedy: expect.stringContaining('smtp.ca'),
    });
    expect(await send('later', server.port)).toMatchObject({
      ok: false,
      again: 'later',
      problem: expect.stringContaining('451 4.7.1 greylisted'),
    });
    expect(await send('later', server.port)).toMatchObject({ ok: true });
    await expect.poll(() => server.box('later').length, mailbox).toBe(1);
    expect(server.box('ops')).toEqual([]);
  });

  test('has a notice and its end in the box as one thread, that a person can read', async () => {
    const server = await serve();
    expect(await send('ops', server.port)).toMatchObject({ ok: true });
    const end = noticeOf([resolved()], { key: 'other', title: 'backup-failed' });
    expect(await send('ops', server.port, {}, end)).toMatchObject({ ok: true });
    await expect.poll(() => server.box('ops').length, mailbox).toBe(2);
    const [first = '', last = ''] = server.box('ops').toSorted((a) => (a.includes('resolved') ? 1 : -1));
    expect(header(first, 'references')).toBe(header(last, 'references'));
    expect(header(first, 'subject')).toBe(header(last, 'subject'));
    expect(header(first, 'message-id')).not.toBe(header(last, 'message-id'));
    expect(header(first, 'list-id')).toMatch(/^"redis-agent" <redis-agent\.[a-z0-9-]+\.example\.org>$/);
    expect(header(first, 'auto-submitted')).toBe('auto-generated');
    expect(textPart(first)).toContain('make room on /var/lib/redis');
    expect(textPart(last)).toContain('resolved');
    const html = textPart(first, 'html');
    expect(html).toContain('make room on /var/lib/redis');
    if (everything && browserProgram !== undefined) await look(html, browserProgram);
  });
});

/** The HTML part as it came, by a browser, to be looked at. */
async function look(html: string, executablePath: string): Promise<void> {
  const pictures = '.cache/pages';
  mkdirSync(pictures, { recursive: true });
  writeFileSync(join(pictures, 'mail.html'), html);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  onTestFinished(() => browser.close());
  for (const width of [700, 390]) {
    const page = await browser.newPage({ viewport: { width, height: 500 } });
    await page.setContent(html);
    await page.screenshot({ path: join(pictures, `mail-${width}.png`), fullPage: true });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  }
}
