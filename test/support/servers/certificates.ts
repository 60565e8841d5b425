import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onceARun } from '../house/once-a-run.ts';

/** PEM files. The certificate is for localhost and 127.0.0.1, as server and as client. */
export interface Certificates {
  ca: string;
  cert: string;
  key: string;
}

const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';

/** Makes an authority and one certificate signed by it, in `folder`. Needs the openssl command. */
export function makeCertificates(folder: string): Certificates {
  writeFileSync(join(folder, 'tls.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  openssl(folder, `req -x509 ${newKey} -days 2 -subj /CN=redis-agent-test -keyout ca.key -out ca.pem`);
  openssl(folder, `req ${newKey} -subj /CN=localhost -keyout tls.key -out tls.csr`);
  openssl(
    folder,
    'x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile tls.ext -out tls.pem',
  );
  return filesIn(folder);
}

/** The same in `folder`, but from one authority for the whole run: where nobody asks whose they are. */
export function shareCertificates(folder: string): Certificates {
  const made = onceARun('certificates', makeCertificates);
  if (made === undefined) return makeCertificates(folder);
  for (const name of ['ca.pem', 'tls.pem', 'tls.key']) copyFileSync(join(made, name), join(folder, name));
  return filesIn(folder);
}

function filesIn(folder: string): Certificates {
  return { ca: join(folder, 'ca.pem'), cert: join(folder, 'tls.pem'), key: join(folder, 'tls.key') };
}

function openssl(folder: string, words: string): void {
  execFileSync('openssl', words.split(' '), { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
}
