import { X509Certificate } from 'node:crypto';
import { AgentError } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import type { FileReader } from '../../lib/files/file-reader.ts';
import { connectRedis } from '../../redis/connection/connect.ts';
import { servedCertificate, subjectOf } from '../../redis/connection/served-certificate.ts';
import { seen, type CertificateFacts, type Seen, type ServerFacts } from '../facts.ts';

const timeout = 5000;

/** Tries what a stranger would: a connection without a password, and PING. */
export async function tryWithoutPassword(
  { name, url, tls }: InstanceSettings,
  signal: AbortSignal,
): Promise<ServerFacts['unauthenticated']> {
  try {
    const connection = await connectRedis({ name, url, tls }, { timeout, signal });
    try {
      await connection.call('PING');
      return seen('pong');
    } finally {
      connection.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof AgentError ? error.reason : undefined;
    if (reason === 'noauth' || reason === 'wrongpass') return seen('noauth');
    if (reason === 'denied') return seen('denied');
    // Let in, and allowed nothing.
    if (reason === 'noperm') return seen('pong');
    return { missing: `a connection without a password: ${reason ?? 'it failed'}` };
  }
}

/** The certificate that it serves, and the one in its file. */
export async function tryTls(
  instance: InstanceSettings,
  file: string | undefined,
  reader: FileReader,
): Promise<Seen<CertificateFacts>> {
  if (!instance.url.startsWith('rediss:')) return { absent: 'the agent does not connect by TLS' };
  const { name, url, tls } = instance;
  const certificate = await servedCertificate({ name, url, tls }, timeout);
  if (certificate === undefined) return { missing: 'a TLS handshake with the server' };
  const onDisk = file === undefined ? undefined : certificateIn(file, reader);
  return seen({
    validTo: Date.parse(certificate.validTo),
    subject: subjectOf(certificate),
    served: certificate.fingerprint256,
    file: onDisk?.fingerprint256,
    path: file,
    renewed: onDisk && Date.parse(onDisk.validFrom) >= Date.parse(certificate.validFrom),
  });
}

function certificateIn(path: string, reader: FileReader): X509Certificate | undefined {
  try {
    return new X509Certificate(reader.read(path, 1024 * 1024));
  } catch {
    return undefined;
  }
}
