import { AgentError, messageOf, systemCode, type ReasonOf } from '../../domain/errors.ts';
import { explainFailure } from './command-error.ts';
import { wordsOf, type RedisTarget } from './target.ts';

interface Explanation {
  reason: ReasonOf<'redis'>;
  why: string;
  hint: string;
}

/** The AgentError `redis` for a connection that could not be opened: network, TLS or protocol. */
export function connectError(target: RedisTarget, cause: unknown): AgentError {
  if (cause instanceof AgentError) return cause;
  return failed(target, explain(target, cause), cause);
}

/** The same for the first commands on a new connection: AUTH and PING. Without their arguments, so without `cause`. */
export function greetingError(target: RedisTarget, command: string, cause: unknown): AgentError {
  const { reason, why, hint } = explainFailure(target, command, [], cause);
  if (reason === 'closed') return failed(target, closedAtOnce(target));
  const words: Partial<Record<ReasonOf<'redis'>, string>> = {
    wrongpass: 'wrong user or password',
    noauth: 'no password was given',
    timeout: 'connected, but no answer in time',
  };
  return failed(target, { reason, why: words[reason] ?? why, hint: hint ?? 'see the server’s log' });
}

function failed(target: RedisTarget, { reason, why, hint }: Explanation, cause?: unknown): AgentError {
  const message = `${wordsOf(target).cannotConnect(target)}: ${why}`;
  return new AgentError('redis', message, { reason, hint, cause });
}

function explain(target: RedisTarget, cause: unknown): Explanation {
  const code = systemCode(cause) ?? '';
  const text = messageOf(cause);
  const socket = target.url.startsWith('unix:');
  if (code === 'ENOENT')
    return {
      reason: 'refused',
      why: 'there is no such socket',
      hint: 'is the server running, and is this the unixsocket of its redis.conf?',
    };
  if (code === 'EACCES')
    return {
      reason: 'denied',
      why: 'permission denied on the socket',
      hint: 'add the agent’s user to the group that owns the socket (unixsocketperm 770)',
    };
  if (code === 'ECONNREFUSED' || code === 'ENOTSOCK')
    return {
      reason: 'refused',
      why: socket ? 'nothing listens on this socket' : 'connection refused',
      hint: `is the server running, and is this its ${socket ? 'socket' : 'address and port'}?`,
    };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return {
      reason: 'unknown-host',
      why: 'the host name does not resolve',
      hint: `check ${wordsOf(target).url}`,
    };
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return {
      reason: 'unavailable',
      why: 'no route to this host',
      hint: 'is the host up, and is this its address?',
    };
  if (code === 'ETIMEDOUT')
    return {
      reason: 'timeout',
      why: 'timed out',
      // A plain server waits for more when a TLS greeting arrives.
      hint: `is a firewall in the way, or the host down${isTls(target) ? ', or is this not the TLS port (tls-port)' : ''}?`,
    };
  return (isTls(target) ? explainTls(target, cause, code, text) : undefined) ?? explainOther(target, text);
}

function isTls(target: RedisTarget): boolean {
  return target.url.startsWith('rediss:');
}

function explainOther(target: RedisTarget, text: string): Explanation {
  if (/closed|ECONNRESET|EPIPE|hang up|disconnected/i.test(text)) return closedAtOnce(target);
  return { reason: 'unavailable', why: text, hint: `check ${wordsOf(target).url}, and see the server’s log` };
}

function closedAtOnce(target: RedisTarget): Explanation {
  const { cert, key } = wordsOf(target);
  return {
    reason: 'closed',
    why: 'the server closed the connection at once',
    hint: isTls(target)
      ? `is this the TLS port (tls-port), does the server want a client certificate (${cert}, ${key}), or is maxclients reached?`
      : 'is this a TLS port (then write rediss://), or is the server stopping? See its log',
  };
}

function tls(why: string, hint: string): Explanation {
  return { reason: 'tls', why, hint };
}

/** Node's codes (X509 verification, ERR_TLS_*) and OpenSSL's (ERR_SSL_* with a `reason`). */
function explainTls(
  target: RedisTarget,
  cause: unknown,
  code: string,
  text: string,
): Explanation | undefined {
  const words = wordsOf(target);
  if (/SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code))
    return tls(
      'an authority that is not trusted here signed the server’s certificate',
      `set ${words.ca}${ofIt(target)} to that authority’s certificate (PEM)`,
    );
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return tls(
      `the server’s certificate is for another name (${altNames(cause)})`,
      `use that name in ${words.url}, or set ${words.serverName}${ofIt(target)} to it`,
    );
  if (code === 'CERT_HAS_EXPIRED')
    return tls('the server’s certificate has expired', 'renew it on the server');
  if (code === 'CERT_NOT_YET_VALID')
    return tls('the server’s certificate is not valid yet', 'compare the clocks of both hosts');
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(code))
    return tls('what answers there does not speak TLS', 'is this the TLS port (tls-port)?');
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/.test(code))
    return tls('the server wants a client certificate', `set ${words.cert} and ${words.key}${ofIt(target)}`);
  if (/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE)|DECRYPT_ERROR/.test(code))
    return tls(
      'the server does not accept this client certificate',
      `${words.cert} must be signed by an authority in the server’s tls-ca-cert-file, and still be valid`,
    );
  if (/KEY_VALUES_MISMATCH/.test(code))
    return tls(`${words.cert} and ${words.key} do not belong together`, `check both files${ofIt(target)}`);
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/.test(code))
    return tls('no TLS version in common', 'allow TLSv1.2 or TLSv1.3 in the server’s tls-protocols');
  if (!/^ERR_(SSL|TLS|OSSL)/.test(code)) return undefined;
  return tls(`TLS failed: ${opensslReason(cause) ?? text}`, `check ${words.tls}`);
}

/** An instance of several. */
function ofIt({ words }: RedisTarget): string {
  return words === undefined ? ' of this instance' : '';
}

function opensslReason(cause: unknown): string | undefined {
  return cause instanceof Error && 'reason' in cause && typeof cause.reason === 'string'
    ? cause.reason
    : undefined;
}

/** `DNS:redis.example, IP Address:10.0.0.1` of the certificate that came. */
function altNames(cause: unknown): string {
  const [, names = 'unknown'] = /altnames: .*altnames: (.*)$/.exec(messageOf(cause)) ?? [];
  return names.replaceAll('IP Address:', '').replaceAll('DNS:', '');
}
