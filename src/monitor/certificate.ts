import { X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { constants } from 'node:fs';
import { connect } from 'node:tls';
import type { Clock } from '../domain/clock.ts';
import { endpoint, type RedisTarget } from '../redis/connect.ts';

const hour = 3_600_000;
const patience = 5000;
const largest = 256 * 1024;

/**
 * When the certificate expires that a new connection is shown (one that is held shows the old one for ever), and the one
 * in the server's file, where it can be read from here.
 */
export function createCertificateLook(
  clock: Clock,
  target: RedisTarget,
): (seen: { values: Record<string, number>; texts: Record<string, string> }) => Promise<void> {
  if (!target.url.startsWith('rediss:')) return async () => {};
  let last: { at: number; served: number | undefined } | undefined;
  return async ({ values, texts }) => {
    if (last === undefined || clock.monotonic() - last.at >= hour)
      last = { at: clock.monotonic(), served: await servedUntil(target) };
    if (last.served !== undefined) values['certificate_expiry_timestamp_seconds'] = last.served;
    const file = await fileUntil(texts['tls-cert-file']);
    if (file !== undefined) values['certificate_file_expiry_timestamp_seconds'] = file;
  };
}

async function servedUntil(target: RedisTarget): Promise<number | undefined> {
  return await new Promise((resolve) => {
    let socket: ReturnType<typeof connect>;
    const end = (until: number | undefined): void => {
      socket.destroy();
      resolve(until);
    };
    try {
      const { tls = {}, ...place } = endpoint(target);
      // Whether it is trusted is the connection's business; here only its date counts.
      socket = connect({ ...place, ...tls, rejectUnauthorized: false });
    } catch {
      resolve(undefined);
      return;
    }
    socket.setTimeout(patience, () => end(undefined));
    socket.on('error', () => end(undefined));
    socket.on('secureConnect', () => end(secondsOf(socket.getPeerCertificate().valid_to)));
  });
}

/** The server names the file, so it is opened as what anybody may have put there. */
async function fileUntil(path: string | undefined): Promise<number | undefined> {
  if (path?.startsWith('/') !== true) return undefined;
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > largest) return undefined;
    return secondsOf(new X509Certificate(await file.readFile()).validTo);
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

function secondsOf(date: string | undefined): number | undefined {
  const ms = Date.parse(date ?? '');
  return Number.isNaN(ms) ? undefined : ms / 1000;
}
