import type { AddressInfo, Socket } from 'node:net';
import { readFileSync } from 'node:fs';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { onTestFinished } from 'vitest';
import type { Certificates } from '../servers/certificates.ts';

export interface Mail {
  from: string;
  to: string[];
  /** As it came. */
  source: string;
  secure: boolean;
  user: string | undefined;
}

export interface SmtpFaults {
  /** Refuses the first so many recipients so: greylisting. */
  greylist?: number;
  /** Takes the first so many messages and cuts the connection instead of saying so. */
  dropAfterData?: number;
  /** Answers to RCPT. */
  refuseRecipient?: number;
  /** Never answers to the end of a message. */
  hang?: boolean;
}

export interface TestSmtp {
  readonly port: number;
  readonly mails: Mail[];
  /** Messages of which it said nothing. */
  hanging: number;
  faults: SmtpFaults;
}

/** An SMTP server on loopback that keeps what it is sent; ends with the test. */
export async function startSmtp({
  tls,
  password,
  methods = ['PLAIN', 'LOGIN'],
}: { tls?: Certificates | undefined; password?: string; methods?: string[] } = {}): Promise<TestSmtp> {
  const smtp: TestSmtp & { port: number } = { port: 0, mails: [], hanging: 0, faults: {} };
  const hidden = [...(tls === undefined ? ['STARTTLS'] : []), ...(password === undefined ? ['AUTH'] : [])];
  const sockets = new Set<Socket>();
  const options: SMTPServerOptions = {
    disabledCommands: hidden,
    // As small servers are.
    hide8BITMIME: true,
    hideSMTPUTF8: true,
    authMethods: methods,
    authOptional: password === undefined,
    disableReverseLookup: true,
    ...(tls === undefined ? {} : { key: readFileSync(tls.key), cert: readFileSync(tls.cert) }),
    onAuth(auth, _session, done) {
      if (auth.password === password) done(null, { user: auth.username });
      else done(Object.assign(new Error('535 5.7.8 authentication failed'), { responseCode: 535 }));
    },
    onRcptTo(_address, _session, done) {
      const { greylist = 0, refuseRecipient } = smtp.faults;
      if (greylist > 0) {
        smtp.faults.greylist = greylist - 1;
        done(Object.assign(new Error('4.7.1 try again later'), { responseCode: 451 }));
      } else if (refuseRecipient !== undefined)
        done(Object.assign(new Error('5.1.1 no such user'), { responseCode: refuseRecipient }));
      else done();
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        if (smtp.faults.hang === true) {
          smtp.hanging += 1;
          return;
        }
        smtp.mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          source: Buffer.concat(chunks).toString(),
          secure: session.secure,
          user: typeof session.user === 'string' ? session.user : undefined,
        });
        const { dropAfterData = 0 } = smtp.faults;
        if (dropAfterData > 0) {
          smtp.faults.dropAfterData = dropAfterData - 1;
          for (const socket of sockets) socket.destroy();
        } else done();
      });
    },
  };
  const server = new SMTPServer(options);
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  // A client that does not like the certificate is no error of ours.
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  smtp.port = (server.server.address() as AddressInfo).port;
  return smtp;
}

/** A header of a message, unfolded. */
export function header(source: string, name: string): string | undefined {
  const [head = ''] = source.split('\r\n\r\n');
  const line = head
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .find((each) => each.toLowerCase().startsWith(`${name.toLowerCase()}: `));
  return line?.slice(name.length + 2);
}

/** The text of a message, quoted-printable undone. */
export function textPart(source: string, type: 'plain' | 'html' = 'plain'): string {
  const part =
    source
      .split(`Content-Type: text/${type}`)[1]
      ?.split('\r\n\r\n')
      .slice(1)
      .join('\r\n\r\n')
      .split('\r\n----_NmP')[0] ?? '';
  const bytes = part
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

/** What is attached to a message under that name, as text; undefined where nothing is. */
export function attachment(source: string, name: string | RegExp): string | undefined {
  const wanted = typeof name === 'string' ? name.replaceAll('.', '\\.') : name.source;
  const head = new RegExp(`Content-Disposition: attachment; filename="?${wanted}"?`).exec(source);
  if (head === null) return undefined;
  const body = source.slice(head.index).split('\r\n\r\n')[1];
  return Buffer.from(body?.split('\r\n----_NmP')[0] ?? '', 'base64').toString();
}
