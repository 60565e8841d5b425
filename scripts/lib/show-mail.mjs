// A mail server for the tour: listens on loopback, says its port, and shows the text of every message that comes.
//   show-mail.mjs PORTFILE [PORT]
import { renameSync, writeFileSync } from 'node:fs';
import { SMTPServer } from 'smtp-server';

const [portFile = '', port = '0'] = process.argv.slice(2);

const server = new SMTPServer({
  disabledCommands: ['STARTTLS', 'AUTH'],
  disableReverseLookup: true,
  onData(stream, _session, done) {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => {
      show(Buffer.concat(chunks).toString());
      done();
    });
  },
});
server.listen(Number(port), '127.0.0.1', () => {
  writeFileSync(`${portFile}.new`, String(server.server.address().port));
  renameSync(`${portFile}.new`, portFile);
});

/** Subject and text part, quoted-printable undone. */
function show(source) {
  const subject = /^Subject: (.*)$/m.exec(source)?.[1]?.trim() ?? '';
  const part = source
    .split('Content-Type: text/plain')[1]
    ?.split('\r\n\r\n')
    .slice(1)
    .join('\r\n\r\n')
    .split('\r\n--')[0];
  const bytes = (part ?? '')
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCodePoint(Number.parseInt(hex, 16)));
  const text = Buffer.from(bytes, 'latin1').toString().trim();
  const lines = [`Subject: ${subject}`, '', ...text.split(/\r?\n/)];
  process.stdout.write(`${lines.map((line) => `  | ${line}`.trimEnd()).join('\n')}\n`);
}
