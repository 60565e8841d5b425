import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a link in a message lets its holder do, once: take one alert on, or silence it for an hour. */
export interface LinkClaim {
  /** The alert’s number. */
  alert: number;
  /** When it ends, seconds since the epoch. */
  until: number;
  /** The channel that it was sent to. */
  channel: string;
}

/** Bytes of a key. */
export const linkKeyBytes = 32;

/** What nothing else signed with the key begins with. */
const purpose = 'redis-agent alert link 1\n';

const form = /^(\d{1,15})\.(\d{1,12})\.([\w-]{1,400})\.([\w-]{43})$/;

export function signLink({ alert, until, channel }: LinkClaim, key: Uint8Array): string {
  const claim = `${alert}.${until}.${Buffer.from(channel).toString('base64url')}`;
  return `${claim}.${macOf(claim, key).toString('base64url')}`;
}

/** Undefined: not ours, whatever is wrong with it. */
export function readLink(token: string, key: Uint8Array): LinkClaim | undefined {
  const [, alert = '', until = '', channel = '', mac = ''] = form.exec(token) ?? [];
  if (mac === '') return undefined;
  const given = Buffer.from(mac, 'base64url');
  const wanted = macOf(`${alert}.${until}.${channel}`, key);
  // Two texts can be the same bytes in base64: only the one that we wrote is the link.
  if (
    given.length !== wanted.length ||
    !timingSafeEqual(given, wanted) ||
    given.toString('base64url') !== mac
  )
    return undefined;
  return {
    alert: Number(alert),
    until: Number(until),
    channel: Buffer.from(channel, 'base64url').toString(),
  };
}

function macOf(claim: string, key: Uint8Array): Buffer {
  return createHmac('sha256', key)
    .update(purpose + claim)
    .digest();
}
