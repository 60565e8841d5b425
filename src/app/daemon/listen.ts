import { timingSafeEqual } from 'node:crypto';
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import type { ListenSettings } from '../../domain/settings/listen.ts';
import type { App } from '../build-app.ts';
import type { Watch } from './watch.ts';

/** What is served for others to look: /metrics and /healthz. Nothing that it answers changes anything. */
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
  const server = createServer({ headersTimeout: patience, requestTimeout: patience }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      current.log.error({ cause: messageOf(error) }, 'cannot answer a request');
      if (!response.headersSent) response.writeHead(500).end();
    });
  });
  server.maxConnections = mostConnections;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('Cache-Control', 'no-store');
    if (request.method !== 'GET') return send(response, 405, 'text/plain', 'only GET\n');
    if (token !== undefined && !isBearer(request.headers.authorization, token.reveal())) {
      response.setHeader('WWW-Authenticate', 'Bearer');
      return send(response, 401, 'text/plain', 'a bearer token is needed\n');
    }
    const path = (request.url ?? '').split('?', 1)[0];
    if (path === '/metrics') {
      const { contentType, metricsPage } = await import('./metrics-page.ts');
      return send(response, 200, contentType, await metricsPage(current, watch));
    }
    if (path === '/healthz') {
      const reasons = watch.lagging().map((name) => `the loop that watches ${name} has not come round`);
      const body = { status: reasons.length === 0 ? 'ok' : 'failing', reasons };
      return send(
        response,
        reasons.length === 0 ? 200 : 503,
        'application/json',
        `${JSON.stringify(body)}\n`,
      );
    }
    return send(response, 404, 'text/plain', 'there are /metrics and /healthz\n');
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

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type }).end(body);
}

/** As long as the token, whatever was sent: how long it takes tells nothing. */
function isBearer(header: string | undefined, token: string): boolean {
  const given = Buffer.from(/^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? '');
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
