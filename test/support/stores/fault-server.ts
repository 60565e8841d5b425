import { hash } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';

import { VersionLayer } from './version-layer.ts';

export type S3Call =
  | 'HeadObject'
  | 'GetObject'
  | 'PutObject'
  | 'DeleteObject'
  | 'ListObjects'
  | 'CreateUpload'
  | 'UploadPart'
  | 'CompleteUpload'
  | 'AbortUpload'
  | 'ListUploads'
  | 'ListParts';

/** What goes wrong. */
export type Fault =
  /** Answers in the server's place: an error document, or a body of its own. */
  | { kind: 'answer'; status: number; code?: string; body?: string; headers?: Record<string, string> }
  /** Lets the server do it and drops the connection instead of passing the answer on. */
  | { kind: 'lose-answer' }
  /** Drops the connection when this much of the request's body has come. */
  | { kind: 'drop-upload'; after: number }
  /** Passes this much of the answer's body on, then drops the connection. */
  | { kind: 'drop-download'; after: number }
  /** Passes this much of the answer's body on as if that were all: a consistent, shorter answer. */
  | { kind: 'cut-download'; after: number }
  /** Passes the answer on with this behind it. */
  | { kind: 'longer-download'; extra: string }
  /** Answers a Range request with the whole object. */
  | { kind: 'ignore-range' }
  /** Refuses requests with such a header. */
  | { kind: 'refuse-header'; header: RegExp; status: number; code: string }
  /** Passes the answer on, changed. */
  | { kind: 'change-answer'; change: (answer: { headers: IncomingHttpHeaders; body: Buffer }) => void }
  /** Flips a bit of the body on its way to the server, which checks what the checksum header says. */
  | { kind: 'flip-bit' };

interface PlannedFault {
  on: S3Call;
  fault: Fault;
  /** Calls that it lets through first, and how many it hits then. */
  skip: number;
  left: number;
}

/** A loopback HTTP proxy before a real S3 server. It checks checksum headers against bodies, as AWS does. */
export interface FaultServer {
  readonly endpoint: string;
  /** Every call that came, in order. */
  readonly calls: S3Call[];
  /** Of the last call of that kind. */
  readonly headers: ReadonlyMap<S3Call, IncomingHttpHeaders>;
  /** Bodies whose checksum header was right. */
  readonly checked: number;
  /** Uploads that were started and neither completed nor aborted, by what the server answered. */
  readonly openUploads: ReadonlySet<string>;
  /** Lengths of the parts of uploads, in the order in which they came. */
  readonly partSizes: readonly number[];
  /** What is kept of each key where versions are. */
  readonly versions: VersionLayer['kept'];
  /** From here on it seems to keep what is removed. */
  keepVersions(): void;
  /** Hits `times` calls of that kind (all by default) after letting `skip` pass (none); earlier plans first. */
  plan(on: S3Call, fault: Fault, which?: { times?: number; skip?: number }): void;
  /** Forgets calls and plans. */
  reset(): void;
  stop(): Promise<void>;
}

export async function startFaultServer(target: string): Promise<FaultServer> {
  const plans: PlannedFault[] = [];
  const calls: S3Call[] = [];
  const lastHeaders = new Map<S3Call, IncomingHttpHeaders>();
  const openUploads = new Set<string>();
  const partSizes: number[] = [];
  const versions = new VersionLayer();
  let versioned = false;
  let checked = 0;

  function take(call: S3Call): Fault | undefined {
    const plan = plans.find(
      ({ on, left, fault: { kind } }) => on === call && left > 0 && kind !== 'refuse-header',
    );
    if (plan === undefined) return undefined;
    if (plan.skip > 0) {
      plan.skip -= 1;
      return undefined;
    }
    plan.left -= 1;
    return plan.fault;
  }

  async function handle(request: IncomingMessage, response: ServerResponse, drop: () => void): Promise<void> {
    const call = callOf(request);
    calls.push(call);
    lastHeaders.set(call, request.headers);
    const fault = take(call);
    if (fault?.kind === 'drop-upload') return await readSome(request, fault.after).finally(drop);
    const body = await read(request);
    if (fault?.kind === 'flip-bit') body[0] = (body[0] ?? 0) ^ 1;
    if (!isIntact(request.headers, body)) return answer(response, { status: 400, code: 'BadDigest' });
    if (Object.keys(request.headers).some((name) => /^x-amz-checksum-(crc32|sha256)$/.test(name)))
      checked += 1;
    if (fault?.kind === 'answer') return answer(response, fault);
    const refusal = plans.find(
      ({ on, fault: each }) =>
        on === call &&
        each.kind === 'refuse-header' &&
        Object.keys(request.headers).some((name) => each.header.test(name)),
    )?.fault;
    if (refusal?.kind === 'refuse-header') return answer(response, refusal);
    if (versioned && versions.answer(request, response)) return;
    const headers = { ...request.headers };
    if (fault?.kind === 'ignore-range') delete headers.range;
    const real = await forward(target, request, headers, body);
    track(call, request, real);
    if (fault?.kind === 'change-answer') fault.change(real);
    if (call === 'UploadPart') partSizes.push(body.length);
    if (real.status < 300) versions.note(call, request, body.length);
    if (fault?.kind === 'lose-answer') drop();
    else pass(real, response, fault);
  }

  function track(call: S3Call, { url = '' }: IncomingMessage, real: { status: number; body: Buffer }): void {
    if (real.status >= 300) return;
    const started = /<UploadId>([^<]+)</.exec(call === 'CreateUpload' ? real.body.toString() : '')?.[1];
    if (started !== undefined) openUploads.add(started);
    if (call === 'CompleteUpload' || call === 'AbortUpload')
      openUploads.delete(new URL(url, target).searchParams.get('uploadId') ?? '');
  }

  const server = createServer((request, response) => {
    // A request that was read only in part no longer knows its socket.
    const { socket } = request;
    handle(request, response, () => socket.destroy()).catch(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    calls,
    openUploads,
    partSizes,
    versions: versions.kept,
    keepVersions: () => void (versioned = true),
    headers: lastHeaders,
    get checked() {
      return checked;
    },
    plan(on, fault, { times = Number.POSITIVE_INFINITY, skip = 0 } = {}) {
      plans.push({ on, fault, skip, left: times });
    },
    reset() {
      plans.length = 0;
      calls.length = 0;
      openUploads.clear();
      checked = 0;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function callOf({ method, url = '' }: IncomingMessage): S3Call {
  const { pathname, searchParams } = new URL(url, 'http://proxy');
  const onObject = pathname.split('/').filter(Boolean).length > 1;
  const onUpload = searchParams.has('uploadId');
  if (method === 'HEAD') return 'HeadObject';
  if (method === 'PUT') return onUpload ? 'UploadPart' : 'PutObject';
  if (method === 'POST') return onUpload ? 'CompleteUpload' : 'CreateUpload';
  if (method === 'DELETE') return onUpload ? 'AbortUpload' : 'DeleteObject';
  if (searchParams.has('uploads')) return 'ListUploads';
  if (!onObject) return 'ListObjects';
  return onUpload ? 'ListParts' : 'GetObject';
}

/** An error document as S3 words it; a code stands for its message too. */
function answer(
  response: ServerResponse,
  { status, code, body, headers }: { status: number; code?: string; body?: string; headers?: object },
): void {
  const xml =
    code === undefined ? '' : `<Error><Code>${code}</Code><Message>injected ${code}</Message></Error>`;
  response.writeHead(status, { 'Content-Type': 'application/xml', ...headers });
  response.end(response.req.method === 'HEAD' ? undefined : (body ?? xml));
}

async function readSome(request: IncomingMessage, enough: number): Promise<void> {
  let got = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    got += chunk.length;
    if (got >= enough) return;
  }
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function isIntact(headers: IncomingHttpHeaders, body: Buffer): boolean {
  const crc = headers['x-amz-checksum-crc32'];
  if (typeof crc === 'string' && Buffer.from(crc, 'base64').readUInt32BE() !== crc32(body)) return false;
  const sha = headers['x-amz-checksum-sha256'];
  return typeof sha !== 'string' || sha === hash('sha256', body, 'base64');
}

/** Host and signature go through as they are: the signature covers the host that the client saw. */
async function forward(
  target: string,
  { method, url }: IncomingMessage,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  const { hostname, port } = new URL(target);
  const outgoing = httpRequest({ hostname, port, method, path: url, headers, agent: false });
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject).end(body);
  });
  return { status: incoming.statusCode ?? 502, headers: incoming.headers, body: await read(incoming) };
}

function pass(
  real: { status: number; headers: IncomingHttpHeaders; body: Buffer },
  response: ServerResponse,
  fault: Fault | undefined,
): void {
  const { connection: _hop, 'transfer-encoding': _framing, ...headers } = real.headers;
  const drops = fault?.kind === 'drop-download';
  const cuts = fault?.kind === 'cut-download';
  const extra = fault?.kind === 'longer-download' ? Buffer.from(fault.extra) : Buffer.alloc(0);
  const body = drops || cuts ? real.body.subarray(0, fault.after) : Buffer.concat([real.body, extra]);
  // HEAD's length is the object's; a cut answer claims to be whole.
  if (headers['x-without-length'] !== undefined) {
    delete headers['x-without-length'];
    delete headers['content-length'];
  }
  if (response.req.method !== 'HEAD')
    headers['content-length'] = String(drops ? real.body.length : body.length);
  response.writeHead(real.status, headers);
  if (drops) response.write(body, () => response.socket?.destroy());
  else response.end(body);
}
