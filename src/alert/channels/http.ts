import { systemCode } from '../../domain/errors.ts';
import { printable } from '../../lib/text/printable.ts';
import { sendTimeout, type Checked, type Failure } from './channel.ts';

export interface Request {
  method?: 'GET' | 'POST';
  url: string;
  headers?: Record<string, string>;
  /** Sent as JSON unless it is text, a form or bytes. */
  body?: unknown;
  signal: AbortSignal;
  /** How the other side is called in messages: `Slack`, `the web hook at hooks.example.org`. */
  what: string;
  timeout?: number;
}

export interface Answer {
  ok: true;
  status: number;
  /** The first bytes. */
  text: string;
  /** What Retry-After asks for, milliseconds. */
  after: number | undefined;
}

/** No answer that means something is longer. */
const mostBytes = 64 * 1024;
/** What is asked for beyond it is no pause but a fault. */
const longestPause = 24 * 60 * 60 * 1000;

/** One request, no redirects: a secret in the address or a header goes nowhere else. A failure when no answer came. */
export async function request(options: Request): Promise<Answer | Failure> {
  const { method = 'POST', url, headers = {}, body, what, timeout = sendTimeout } = options;
  const limit = AbortSignal.timeout(timeout);
  try {
    const response = await fetch(url, {
      method,
      headers: {
        'user-agent': 'redis-agent',
        ...(body === undefined || isRaw(body) ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      redirect: 'manual',
      signal: AbortSignal.any([options.signal, limit]),
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' || isRaw(body) ? body : JSON.stringify(body) }),
    });
    const text = await startOf(response);
    return {
      ok: true,
      status: response.status,
      text,
      after: retryAfter(response.headers.get('retry-after')),
    };
  } catch (error) {
    if (limit.aborted)
      return later(
        `${what} did not answer within ${timeout / 1000} s`,
        'see whether it can be reached from this host',
      );
    return later(
      `${what} cannot be reached: ${causeOf(error)}`,
      'see whether it can be reached from this host: name, port, proxy, certificate',
    );
  }
}

/** fetch says itself what a form is. */
function isRaw(body: unknown): body is URLSearchParams | Uint8Array<ArrayBuffer> {
  return body instanceof URLSearchParams || body instanceof Uint8Array;
}

/** What an answer means where its status says all; undefined when it was taken. */
export function failureOf(answer: Answer, what: string): Failure | undefined {
  const { status, after } = answer;
  if (status >= 200 && status < 300) return undefined;
  const problem = `${what} answered ${status}${said(answer.text)}`;
  if (status === 429)
    return { ...later(problem, 'it limits how often it is called; it is tried again'), after };
  if (status >= 500 || status === 408 || status === 425)
    return { ...later(problem, 'it has trouble of its own; it is tried again'), after };
  if (status >= 300 && status < 400)
    return never(`${what} sends on to another address (${status})`, 'write the address that it ends at');
  if (status === 413)
    return { ok: false, again: 'refused', problem, remedy: 'the message is too long for it' };
  return never(problem, 'see whether its address, key and rights are still valid');
}

export function later(problem: string, remedy: string): Failure {
  return { ok: false, again: 'later', problem, remedy };
}

export function never(problem: string, remedy: string): Failure {
  return { ok: false, again: 'never', problem, remedy };
}

/** Whether the address answers at all; what it answers to no message means nothing. */
export async function checkReachable(url: string, what: string, signal: AbortSignal): Promise<Checked> {
  const answer = await request({ method: 'GET', url: new URL('/', url).href, signal, what, timeout: 10_000 });
  if (!answer.ok) return { ok: false, problem: answer.problem, remedy: answer.remedy };
  return { ok: true, detail: `${what} can be reached; redis-agent alerts test sends something` };
}

/** An http or https address kept as a secret: what is wrong with it, without repeating it. */
export function urlProblem(url: string): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) return 'is no http:// or https:// address';
  return undefined;
}

/** The host of an address, which is no secret. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that cannot be read';
}

/** JSON of an answer, or nothing. */
export function jsonOf({ text }: Answer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an object
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** ` (…)` with the first words of an answer, made safe. */
export function said(text: string): string {
  const plain = text.startsWith('<') ? '' : printable(text.trim().replaceAll(/\s+/g, ' ')).slice(0, 160);
  return plain === '' ? '' : ` (${plain})`;
}

async function startOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    text += decoder.decode(chunk, { stream: true });
    if (bytes >= mostBytes) break;
  }
  return text;
}

function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, longestPause) : undefined;
}

/** fetch says `fetch failed`; what failed is inside. */
function causeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = systemCode(inner);
  const known: Record<string, string> = {
    ECONNREFUSED: 'connection refused',
    ECONNRESET: 'it cut the connection',
    UND_ERR_SOCKET: 'it cut the connection',
    ENOTFOUND: 'its name is not known',
    EAI_AGAIN: 'its name cannot be looked up now',
    ETIMEDOUT: 'no answer',
    UND_ERR_CONNECT_TIMEOUT: 'no answer',
    CERT_HAS_EXPIRED: 'its certificate has expired',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by nobody known',
    SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by nobody known',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by nobody known',
    ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  };
  return known[code ?? ''] ?? code ?? 'no connection';
}
