import type { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { printable } from '../../lib/text/printable.ts';
import { endpoint, type RedisTarget } from './connect.ts';

/**
 * What a new connection is shown (one that is held shows the old one for ever). undefined: nothing, within that many
 * milliseconds. Whether it is trusted is the connection's business.
 */
export async function servedCertificate(
  target: RedisTarget,
  patience: number,
): Promise<X509Certificate | undefined> {
  return await new Promise((resolve) => {
    let socket: ReturnType<typeof connect>;
    const end = (certificate: X509Certificate | undefined): void => {
      socket.destroy();
      resolve(certificate);
    };
    try {
      const { tls = {}, ...place } = endpoint(target);
      socket = connect({ ...place, ...tls, rejectUnauthorized: false });
    } catch {
      resolve(undefined);
      return;
    }
    socket.setTimeout(patience, () => end(undefined));
    socket.on('error', () => end(undefined));
    socket.on('secureConnect', () => end(socket.getPeerX509Certificate()));
  });
}

const longest = 200;

/** One line, whatever its issuer wrote; empty where it names nobody. */
export function subjectOf(certificate: X509Certificate): string {
  // Node gives undefined where there is none, whatever its types say.
  const { subject }: { subject?: string } = certificate;
  return printable((subject ?? '').replaceAll('\n', ', ')).slice(0, longest);
}
