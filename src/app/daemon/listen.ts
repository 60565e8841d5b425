import { timingSafeEqual } from 'node:crypto';
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import type { ListenSettings } from '../../domain/settings/listen.ts';
import { isLoopback } from '../../lib/loopback.ts';
import type { App } from '../build-app.ts';
import { Pages, plain, type Answer } from './pages.ts';
import type { Watch } from './watch.ts';

/** What is served for others to look (pages.ts). Nothing that it answers changes anything, but what a signed link allows. */
export interface Listener {
  /** Serves what this one knows, from now on. */
  use(app: App): void;
  close(): Promise<void>;
}

/** Milliseconds that a request may take to arrive. */
const patience = 5000;
const mostConnections = 64;

/** Resolves when it listens; undefined where nothing is configured. Rejects with an AgentError `failed`. */
export async function startListening(app: App, watch: Watch): Promise<Listener | undefined> {
  const { listen } = app.settings;
  if (listen === undefined) return undefined;
  let current = app;
  const token = listen.token === undefined ? undefined : app.secret(listen.token, 'the token of listen');
  const pages = new Pages(watch);
  const server = createServer({ headersTimeout: patience, requestTimeout: patience }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      current.log.error({ cause: messageOf(error) }, 'cannot answer a request');
      if (!response.headersSent) send(response, plain(500, 'this cannot be shown now; the log says why'));
    });
  });
  server.maxConnections = mostConnections;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const link = current.settings.alerts.links === null ? undefined : linkIn(request.url);
    const post = link !== undefined && request.method === 'POST';
    if (request.method !== 'GET' && !post) return send(response, plain(405, 'only GET'), { Allow: 'GET' });
    if (link !== undefined) return await answerLink(request, response, link);
    if (token === undefined && !isOwnName(request.headers.host, listen?.address, current))
      return send(response, plain(421, 'this is not the name of this host'));
    if (token !== undefined && !carriesToken(request.headers.authorization, token.reveal())) {
      const challenge = 'Bearer, Basic realm="redis-agent (the token is the password)"';
      return send(response, plain(401, 'the token is needed'), { 'WWW-Authenticate': challenge });
    }
    send(response, await pages.answer(current, request.url ?? ''));
  }

  /** Whoever has the link may come without the token: it bears a signature of its own. */
  async function answerLink(request: IncomingMessage, response: ServerResponse, link: string): Promise<void> {
    if (token === undefined && !isOwnName(request.headers.host, listen?.address, current))
      return send(response, plain(421, 'this is not the name of this host'));
    const { followLink, showLink } = await import('../links/link-page.ts');
    if (request.method === 'GET') return send(response, showLink(current, link));
    // The form stands on a page of ours, and on no other.
    const from = request.headers['sec-fetch-site'] ?? 'same-origin';
    if (from !== 'same-origin' && from !== 'none')
      return send(response, plain(403, 'this comes from the page of another'));
    const body = await readBody(request);
    if (body === undefined) return send(response, plain(413, 'that is too much'), { Connection: 'close' });
    send(response, followLink(current, link, body));
  }

  await open(server, listen.address);
  app.log.info({ address: listen.address }, 'listening');
  return {
    use(next) {
      current = next;
    },
    async close() {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A path of ours; a query that a proxy or a mail program adds is left alone. */
function linkIn(url = ''): string | undefined {
  return /^\/a\/([^/?#]{1,600})(?:\?.*)?$/.exec(url)?.[1];
}

/** No form of ours is longer. */
const longestBody = 64;

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  let body = '';
  request.setEncoding('latin1');
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > longestBody) return undefined;
  }
  return body;
}

/** Nobody keeps a copy, frames it, guesses at its type or learns where its reader came from. */
const always = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

function send(
  response: ServerResponse,
  { status, type, body, policy = "default-src 'none'" }: Answer,
  more: Record<string, string> = {},
): void {
  const content = `${policy}; frame-ancestors 'none'`;
  response
    .writeHead(status, { ...always, 'Content-Type': type, 'Content-Security-Policy': content, ...more })
    .end(body);
}

/**
 * Who asks without a token is on this host, and so is every page that a browser here shows: one whose name its owner
 * lets point to this host could read what we answer. It comes with that name.
 */
function isOwnName(
  header: string | undefined,
  address: ListenSettings['address'] | undefined,
  { settings }: App,
): boolean {
  if (address === undefined || 'socket' in address || header === undefined) return true;
  const host = header
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  const { public_url: known } = settings.alerts;
  return (
    isLoopback(host) || host === address.host || (known !== undefined && host === new URL(known).hostname)
  );
}

/** As a bearer's, or as the password of whatever user, which browsers and calendars can bring. */
function carriesToken(header: string | undefined, token: string): boolean {
  const bearer = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
  const basic = /^Basic +([\w+/=-]+)$/i.exec(header ?? '')?.[1];
  const pair = Buffer.from(basic ?? '', 'base64').toString();
  return isSame(bearer ?? pair.slice(pair.indexOf(':') + 1), token);
}

/** As long as the token, whatever was sent: how long it takes tells nothing. */
function isSame(text: string, token: string): boolean {
  const given = Buffer.from(text);
  const wanted = Buffer.from(token);
  const same = Buffer.alloc(wanted.length);
  given.copy(same);
  return timingSafeEqual(same, wanted) && given.length === wanted.length;
}

async function open(server: Server, address: ListenSettings['address']): Promise<void> {
  const where = 'socket' in address ? address.socket : `${address.host}:${address.port}`;
  // One that a killed daemon left. Anything else that lies there stays.
  if ('socket' in address && lstatSync(address.socket, { throwIfNoEntry: false })?.isSocket() === true)
    rmSync(address.socket);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      const done = (): void => {
        server.off('error', reject);
        resolve();
      };
      if ('socket' in address) server.listen(address.socket, done);
      else server.listen(address.port, address.host, done);
    });
  } catch (cause) {
    const taken = systemCode(cause) === 'EADDRINUSE';
    throw new AgentError('failed', `cannot listen on ${where}: ${messageOf(cause)}`, {
      cause,
      hint: taken
        ? 'another program listens there: set listen to another address'
        : 'set listen to an address of this host',
    });
  }
  // Its group may ask: that of a web server or of Prometheus.
  if ('socket' in address) chmodSync(address.socket, 0o660);
}
