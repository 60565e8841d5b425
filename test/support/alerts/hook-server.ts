import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** What came in. */
export interface HookRequest {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
  bytes: Buffer;
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever was sent as JSON
  json: any;
  at: number;
}

/** An answer, or what is done instead of one. */
export type HookAnswer =
  | { status: number; headers?: Record<string, string>; body?: string | object }
  | 'hang'
  | 'cut'
  | 'cut-in-body'
  | 'endless';

export interface HookServer {
  readonly url: string;
  readonly requests: HookRequest[];
  /** What it answers from now on: one thing, or something for each request. */
  answer(answer: HookAnswer | ((request: HookRequest, count: number) => HookAnswer)): void;
}

/** A web server that notes what it is sent, and does what others do on bad days. Ends with the test. */
export async function startHookServer(usual: HookAnswer = { status: 200, body: 'ok' }): Promise<HookServer> {
  let next: (request: HookRequest, count: number) => HookAnswer = () => usual;
  const requests: HookRequest[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const body = bytes.toString();
      const request: HookRequest = {
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        headers: incoming.headers,
        body,
        bytes,
        json: parsed(body),
        at: Date.now(),
      };
      requests.push(request);
      respond(response, next(request, requests.length));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answer(answer) {
      next = typeof answer === 'function' ? answer : () => answer;
    },
  };
}

function respond(response: ServerResponse, answer: HookAnswer): void {
  if (answer === 'hang') return;
  if (answer === 'cut') {
    response.destroy();
    return;
  }
  if (answer === 'cut-in-body') {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('ok', () => response.destroy());
    return;
  }
  if (answer === 'endless') {
    response.writeHead(200, { 'content-type': 'text/html' });
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
    };
    response.on('drain', more);
    more();
    return;
  }
  const { status, headers = {}, body = '' } = answer;
  response.writeHead(status, headers);
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
