import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEmail } from '../../src/alert/channels/email.ts';
import type { Channel, Sent } from '../../src/alert/channels/channel.ts';
import type { EmailChannelSettings } from '../../src/domain/settings/alerts.ts';
import { header, startSmtp, textPart } from '../support/alerts/smtp-server.ts';
import { hostileNotice, noticeOf, resolved, tools } from '../support/alerts/notices.ts';
import { makeCertificates, type Certificates } from '../support/servers/certificates.ts';
import { makeTempFolder, removeTempFolder } from '../support/house/temp-folder.ts';

const secret = 'smtp-p4ssword';
let folder: string;
let tls: Certificates;

beforeAll(() => {
  folder = makeTempFolder();
  tls = makeCertificates(folder);
});
afterAll(() => removeTempFolder(folder));

type Smtp = EmailChannelSettings['smtp'];

function open(port: number, smtp: Partial<Smtp> = {}, to = ['ops@example.org']): Channel {
  return openEmail(
    {
      name: 'mail',
      type: 'email',
      from: 'Redis <redis-agent@example.org>',
      to,
      smtp: { url: `smtp://127.0.0.1:${port}`, tls: 'opportunistic', verify: false, ...smtp },
    },
    tools,
  );
}

const authenticated: Partial<Smtp> = { tls: 'required', username: 'agent', password: { env: secret } };

async function send(
  channel: Channel,
  notice = noticeOf(),
  signal = new AbortController().signal,
): Promise<Sent> {
  const sent = await channel.send(notice, { signal, reference: undefined });
  expect(JSON.stringify(sent)).not.toContain(secret);
  return sent;
}

describe('the channel email', () => {
  test('whom the server puts off gets it later, and the others no second time', async () => {
    const smtp = await startSmtp();
    smtp.faults = { greylist: 1 };
    const channel = open(smtp.port, {}, ['new@example.org', 'ops@example.org']);
    expect(await send(channel)).toMatchObject({
      ok: false,
      again: 'later',
      problem: expect.stringMatching(/puts new@example\.org off: 451 4\.7\.1 try again later/),
    });
    expect(await send(channel)).toMatchObject({ ok: true });
    expect(smtp.mails.map(({ to }) => to)).toEqual([['ops@example.org'], ['new@example.org']]);
    // What comes next is for both.
    expect(await send(channel, noticeOf([resolved()], { key: 'other' }))).toMatchObject({ ok: true });
    expect(smtp.mails.at(-1)?.to).toEqual(['new@example.org', 'ops@example.org']);
  });

  test('sends text and HTML of equal content, threaded, with a subject that stays', async () => {
    const smtp = await startSmtp();
    const channel = open(smtp.port);
    expect(await send(channel)).toMatchObject({ ok: true });
    expect(
      await send(channel, noticeOf([resolved()], { key: 'other', title: 'backup-failed' })),
    ).toMatchObject({ ok: true });
    const [first, second] = smtp.mails.map(({ source }) => source);
    expect(smtp.mails[0]).toMatchObject({
      from: 'redis-agent@example.org',
      to: ['ops@example.org'],
      secure: false,
    });
    expect(header(first!, 'subject')).toBe('[redis-agent] main: backup-failed');
    expect(header(second!, 'subject')).toBe('[redis-agent] main: backup-failed');
    expect(header(first!, 'references')).toBe(header(second!, 'in-reply-to'));
    expect(header(first!, 'message-id')).not.toBe(header(second!, 'message-id'));
    expect(header(first!, 'auto-submitted')).toBe('auto-generated');
    expect(header(first!, 'content-type')).toMatch(/^multipart\/alternative/);
    for (const word of [
      'CRITICAL',
      'no room on',
      'make room on',
      'redis-agent alerts ack 12',
      'explain backup-failed',
    ])
      expect(textPart(first!)).toContain(word);
    expect(textPart(second!)).toContain('resolved');
    expect(textPart(second!)).toContain('16m 00s');
  });

  test('sends whatever stands in an alert as text, and nothing of it as a header, markup or control', async () => {
    const smtp = await startSmtp();
    expect(await send(open(smtp.port), hostileNotice())).toMatchObject({ ok: true });
    const { source, to } = smtp.mails[0]!;
    expect(to).toEqual(['ops@example.org']);
    expect(header(source, 'bcc')).toBeUndefined();
    expect(source).not.toContain('<script>');
    // oxlint-disable-next-line no-control-regex -- that is the point
    expect(source).not.toMatch(/[^\r\n\t\u0020-\u007e]/);
    expect(Math.max(...source.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
  });

  test.each(['PLAIN', 'LOGIN'])('shows its password over TLS, by AUTH %s', async (method) => {
    const smtp = await startSmtp({ tls, password: secret, methods: [method] });
    const channel = open(smtp.port, { ...authenticated, ca: tls.ca, verify: true });
    expect(await channel.check(new AbortController().signal)).toMatchObject({ ok: true });
    expect(await send(channel)).toMatchObject({ ok: true });
    expect(smtp.mails).toMatchObject([{ secure: true, user: 'agent' }]);
  });

  test('shows its password to nobody whose certificate it does not know, and to nobody without TLS', async () => {
    const unknown = await startSmtp({ tls, password: secret });
    const sent = await send(open(unknown.port, { ...authenticated, verify: true }));
    expect(sent).toMatchObject({ ok: false, again: 'later', remedy: expect.stringContaining('smtp.ca') });
    const plain = await startSmtp({ password: secret });
    expect(await send(open(plain.port, { ...authenticated, tls: 'off' }))).toMatchObject({
      ok: false,
      problem: expect.stringContaining('TLS'),
    });
    expect([...unknown.mails, ...plain.mails]).toEqual([]);
  });

  test('says that the password is wrong', async () => {
    const smtp = await startSmtp({ tls, password: 'another' });
    const channel = open(smtp.port, { ...authenticated, ca: tls.ca, verify: true });
    expect(await send(channel)).toMatchObject({
      ok: false,
      again: 'never',
      remedy: expect.stringContaining('smtp.password'),
    });
    expect(await channel.check(new AbortController().signal)).toMatchObject({ ok: false });
  });

  test('takes STARTTLS of a relay on this host although nobody knows its certificate', async () => {
    const smtp = await startSmtp({ tls });
    expect(await send(open(smtp.port))).toMatchObject({ ok: true });
    expect(smtp.mails).toMatchObject([{ secure: true }]);
  });

  test('tries again where it is asked to, under the same message-id', async () => {
    const smtp = await startSmtp();
    const channel = open(smtp.port);
    smtp.faults = { greylist: 1 };
    expect(await send(channel)).toMatchObject({ ok: false, again: 'later' });
    smtp.faults = { dropAfterData: 1 };
    expect(await send(channel)).toMatchObject({ ok: false, again: 'later' });
    expect(await send(channel)).toMatchObject({ ok: true });
    const ids = smtp.mails.map(({ source }) => header(source, 'message-id'));
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  test('drops what is refused for good', async () => {
    const smtp = await startSmtp();
    smtp.faults = { refuseRecipient: 550 };
    expect(await send(open(smtp.port))).toMatchObject({
      ok: false,
      again: 'refused',
      problem: expect.stringContaining('no such user'),
    });
  });

  test('ends when it is told to, and when nobody is there', async () => {
    const smtp = await startSmtp();
    smtp.faults = { hang: true };
    const stop = new AbortController();
    const sent = send(open(smtp.port), noticeOf(), stop.signal);
    await expect.poll(() => smtp.hanging, { interval: 5 }).toBe(1);
    stop.abort();
    expect(await sent).toMatchObject({ ok: false, again: 'later' });
    expect(await send(open(1))).toMatchObject({ ok: false, again: 'later' });
  });
});
