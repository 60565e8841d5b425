import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import nodemailer from 'nodemailer';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import type { Notice, NoticeFile } from '../../domain/alert.ts';
import type { Secret } from '../../domain/secret.ts';
import type { EmailChannelSettings } from '../../domain/settings/alerts.ts';
import { printable } from '../../lib/text/printable.ts';
import { renderHtml } from '../message/html.ts';
import { describeNotice, type Message } from '../message/message.ts';
import { reportHtml } from '../message/report-html.ts';
import { renderText } from '../message/text.ts';
import { sendTimeout, type Channel, type ChannelTools, type Failure, type Sent } from './channel.ts';
import { later, never } from './http.ts';

/** Text and HTML of equal content by SMTP; one connection a message, since there are few. */
export function openEmail(settings: EmailChannelSettings, tools: ChannelTools): Channel {
  const { name, from, to, smtp } = settings;
  const url = new URL(smtp.url);
  const password = smtp.password && tools.secret(smtp.password, `smtp.password of the channel ${name}`);
  const options = transportOptions(settings, url, password);
  const server = url.host;
  /** Of a notice that others have: who was put off. Forgotten with the process, and then everybody gets it again. */
  const putOff = new Map<string, string[]>();
  const domain = from.split('@').at(-1)?.replace(/>.*$/, '') ?? 'localhost';

  async function send(notice: Notice, signal: AbortSignal, files: readonly NoticeFile[]): Promise<Sent> {
    const message = describeNotice(notice, tools.context);
    const transport = nodemailer.createTransport(options);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(sendTimeout)]);
    const cut = new Promise<never>((_resolve, reject) => {
      const stop = (): void => {
        transport.close();
        reject(new AgentError('failed', `no answer within ${sendTimeout / 1000} s`));
      };
      if (limit.aborted) stop();
      limit.addEventListener('abort', stop, { once: true });
    });
    cut.catch(() => {});
    const root = idOf(`${tools.context.host}/${notice.thread}`, domain);
    try {
      const sent = await Promise.race([
        transport.sendMail({
          from,
          to,
          envelope: { from, to: putOff.get(notice.key) ?? to },
          subject: message.subject,
          date: new Date(notice.at),
          // The same for every attempt, so that a mail store can tell a doubled one.
          messageId: idOf(`${tools.context.host}/${name}/${notice.key}`, domain),
          ...(notice.kind !== 'report' && { inReplyTo: root, references: [root] }),
          headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
          // What mail programs sort by.
          list: { id: { url: `${listName(tools.context.host)}.${domain}`, comment: 'redis-agent' } },
          text: renderText(message),
          html: htmlOf(message),
          attachments: files.filter(isForMail).map(({ name: filename, type, content }) => ({
            filename,
            contentType: type,
            content: Buffer.from(content),
          })),
          disableFileAccess: true,
          disableUrlAccess: true,
        }),
        cut,
      ]);
      const off = (sent.rejectedErrors ?? []).flatMap(asPutOff);
      if (off.length > 0) return putOffLater(notice.key, off);
      putOff.delete(notice.key);
      const refused = sent.rejected.map(String);
      const note = refused.length === 0 ? '' : `, but not for ${refused.join(', ')}`;
      return { ok: true, answer: printable(`${sent.response}${note}`) };
    } catch (error) {
      return failureOf(error, server);
    } finally {
      transport.close();
    }
  }

  function putOffLater(key: string, errors: readonly PutOff[]): Failure {
    putOff.clear();
    putOff.set(
      key,
      errors.map(({ recipient }) => recipient),
    );
    const who = errors.map(({ recipient }) => recipient).join(', ');
    return later(
      printable(`${server} puts ${who} off: ${errors[0]?.response ?? ''}`),
      'the others have it; for these it is tried again',
    );
  }

  return {
    name,
    description: `${to.join(', ')} by ${server}`,
    pace: 0,
    send: (notice, { signal, files = [] }) => send(notice, signal, files),
    async check(signal) {
      const transport = nodemailer.createTransport(options);
      const close = (): void => transport.close();
      signal.addEventListener('abort', close, { once: true });
      try {
        await transport.verify();
        return {
          ok: true,
          detail: `${server} takes mail${password === undefined ? '' : ` of ${smtp.username ?? ''}`}`,
        };
      } catch (error) {
        return failureOf(error, server);
      } finally {
        signal.removeEventListener('abort', close);
        transport.close();
      }
    },
    close() {},
  };
}

/** Whom the server asks to try again, and its words. */
interface PutOff {
  recipient: string;
  response: string;
}

function asPutOff(error: unknown): PutOff[] {
  const status = numberOf(error, 'responseCode') ?? 0;
  const recipient = textOf(error, 'recipient');
  if (recipient === undefined || status < 400 || status >= 500) return [];
  return [{ recipient, response: textOf(error, 'response') ?? messageOf(error) }];
}

function htmlOf(message: Message): string {
  return message.report === undefined ? renderHtml(message) : reportHtml(message, message.report);
}

function transportOptions({ smtp }: EmailChannelSettings, url: URL, password: Secret | undefined) {
  const secure = url.protocol === 'smtps:';
  const ca = smtp.ca === undefined ? undefined : readCa(smtp.ca);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 465 : 25) : Number(url.port),
    secure,
    // A password goes out over TLS or not at all: who takes STARTTLS out of the greeting gets nothing.
    requireTLS: !secure && (smtp.tls === 'required' || password !== undefined),
    ignoreTLS: !secure && smtp.tls === 'off' && password === undefined,
    tls: {
      rejectUnauthorized: smtp.verify,
      minVersion: 'TLSv1.2' as const,
      ...(ca === undefined ? {} : { ca }),
    },
    connectionTimeout: 10_000,
    greetingTimeout: 15_000,
    socketTimeout: sendTimeout,
    ...(password === undefined ? {} : { auth: { user: smtp.username ?? '', pass: password.reveal() } }),
  };
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new AgentError('usage', `cannot read the certificate of smtp.ca: ${messageOf(error)}`, {
      cause: error,
      hint: 'let the agent read it, or correct smtp.ca',
    });
  }
}

/** The name of a host in the form that a List-Id takes. */
function listName(host: string): string {
  return `redis-agent.${host.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-') || 'host'}`;
}

function idOf(text: string, domain: string): string {
  return `<${createHash('sha256').update(text).digest('hex').slice(0, 32)}@${domain}>`;
}

function failureOf(error: unknown, server: string): Failure {
  const status = numberOf(error, 'responseCode');
  const said = printable(textOf(error, 'response') ?? messageOf(error)).slice(0, 200);
  const code = systemCode(error);
  const problem = `${server}: ${said}`;
  const wantsTls = code === 'ETLS' || (/STARTTLS/i.test(said) && code !== 'EAUTH');
  if (!wantsTls && (code === 'EAUTH' || status === 535 || status === 530))
    return status !== undefined && status < 500
      ? later(problem, 'it cannot look at the password now; it is tried again')
      : never(
          `${server} refuses the user or the password: ${said}`,
          'correct smtp.username and smtp.password',
        );
  if (wantsTls && status === 530)
    return later(
      `${server} takes no mail without TLS: ${said}`,
      'set smtp.tls: required (or opportunistic) for this channel',
    );
  if (wantsTls)
    return later(
      `${server} offers no TLS (STARTTLS): ${said}`,
      'use a server or port with TLS; without a password and inside your own network: smtp.tls: off',
    );
  if (/certificate|self.signed|altname/i.test(said))
    return later(
      `${server}: its certificate is not trusted: ${said}`,
      'set smtp.ca to the certificate of its authority; smtp.verify: false trusts anybody',
    );
  if (status !== undefined && status >= 500)
    return {
      ok: false,
      again: 'refused',
      problem: `${server} refuses the message: ${said}`,
      remedy: 'correct from and to, or ask the mail server’s log',
    };
  if (status !== undefined) return later(problem, 'the mail server asks to try again');
  // OpenSSL's words, with its number of the thread and its own source file around them.
  const [, alert] = /:error:[0-9A-F]+:SSL routines:[^:]*:([^:]+)/.exec(said) ?? [];
  if (alert !== undefined)
    return later(
      `${server}: TLS cannot be agreed on: ${alert}`,
      'see the mail server’s log: its certificate, key or versions of TLS',
    );
  const refused = code === 'ECONNECTION' || code === 'ESOCKET' || code === 'EDNS';
  return later(
    refused ? `${server} cannot be reached: ${said}` : problem,
    'see whether smtp.url is right and the server can be reached from this host',
  );
}

function numberOf(error: unknown, key: string): number | undefined {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, key) : undefined;
  return typeof value === 'number' ? value : undefined;
}

function textOf(error: unknown, key: string): string | undefined {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, key) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** A picture of the page is for those who cannot take the page. */
function isForMail({ type }: NoticeFile): boolean {
  return !type.startsWith('image/');
}
