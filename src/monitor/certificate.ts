import { X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { constants } from 'node:fs';
import type { Clock } from '../domain/clock.ts';
import type { RedisTarget } from '../redis/connection/connect.ts';
import { servedCertificate, subjectOf } from '../redis/connection/served-certificate.ts';

const minute = 60_000;
const hour = 60 * minute;
const patience = 5000;
const largest = 256 * 1024;

/**
 * The certificate that a new connection is shown, and the one in the server's file, where that is a file of this host which
 * can be read from here.
 */
export function createCertificateLook(
  clock: Clock,
  target: RedisTarget,
): (seen: { values: Record<string, number>; texts: Record<string, string> }) => Promise<void> {
  // None is served, which is known.
  if (!target.url.startsWith('rediss:'))
    return async ({ texts }) => {
      texts['certificate_served'] = '';
    };
  let last: { at: number; served: X509Certificate | undefined } | undefined;
  return async ({ values, texts }) => {
    const path = texts['tls-cert-file'];
    const file =
      path === undefined || texts['host_files'] === undefined ? undefined : await certificateIn(path);
    // One that was renewed is looked for at once, and so is the server that was told to read it.
    const differs = file !== undefined && file.fingerprint256 !== last?.served?.fingerprint256;
    if (last === undefined || clock.monotonic() - last.at >= (differs ? minute : hour))
      last = { at: clock.monotonic(), served: await servedCertificate(target, patience) };
    const { served } = last;
    if (file !== undefined) {
      assign(values, 'certificate_file_expiry_timestamp_seconds', secondsOf(file));
      texts['certificate_file'] = file.fingerprint256;
    }
    if (served === undefined) return;
    assign(values, 'certificate_expiry_timestamp_seconds', secondsOf(served));
    texts['certificate_served'] = served.fingerprint256;
    texts['certificate_subject'] = subjectOf(served);
  };
}

/** The server names the file, so it is opened as what anybody may have put there. */
async function certificateIn(path: string): Promise<X509Certificate | undefined> {
  if (!path.startsWith('/')) return undefined;
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > largest) return undefined;
    return new X509Certificate(await file.readFile());
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

function assign(values: Record<string, number>, name: string, value: number): void {
  if (!Number.isNaN(value)) values[name] = value;
}

const secondsOf = ({ validTo }: X509Certificate): number => Date.parse(validTo) / 1000;
