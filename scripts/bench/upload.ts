// How fast does the S3 store upload, against @aws-sdk/lib-storage with the same client settings, part size and
// concurrency, into the same sink that throws everything away? Over plain HTTP, where the signature covers the body's
// SHA-256, and over TLS, where it need not. Prints medians, the ratio and the peak memory.
//   scripts/node scripts/bench/upload.ts [MiB, default 1024] [rounds, default 5]
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { makeS3Client } from '../../src/backup/store/s3-client.ts';
import { openS3Store, type S3StoreOptions } from '../../src/backup/store/s3.ts';
import { Secret } from '../../src/domain/secret.ts';
import { systemClock } from '../../src/lib/time/system-clock.ts';
import { makeCertificates, type Certificates } from '../../test/support/servers/certificates.ts';

const mebibyte = 1024 * 1024;
const target = 1.3;
const contenders = ['ours', 'lib-storage', 'lib-storage with SDK defaults'] as const;
type Contender = (typeof contenders)[number];

interface Result {
  seconds: number;
  peak: number;
}

/** The chunks are one buffer again and again: making data is not what is measured. */
async function* chunks(mebibytes: number): AsyncGenerator<Buffer> {
  const chunk = Buffer.alloc(mebibyte, 'redis-agent');
  for (let index = 0; index < mebibytes; index += 1) yield chunk;
}

function storeOptions(endpoint: string): S3StoreOptions {
  return {
    bucket: 'bench',
    prefix: '',
    region: 'us-east-1',
    endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: 'bench', secretAccessKey: new Secret('bench') },
    clock: systemClock,
  };
}

async function uploadOurs(endpoint: string, mebibytes: number): Promise<void> {
  const store = await openS3Store(storeOptions(endpoint));
  await store.put(`object-${process.pid}`, chunks(mebibytes), { signal: new AbortController().signal });
  await store.close();
}

async function uploadWithLibStorage(client: S3Client, mebibytes: number): Promise<void> {
  const { Upload } = await import('@aws-sdk/lib-storage');
  const Body = Readable.from(chunks(mebibytes), { objectMode: false, highWaterMark: mebibyte });
  const params = { Bucket: 'bench', Key: `object-${process.pid}`, Body, ChecksumAlgorithm: 'CRC32' as const };
  await new Upload({ client, params, partSize: 16 * mebibyte, queueSize: 4 }).done();
  client.destroy();
}

const uploads: Record<Contender, (endpoint: string, mebibytes: number) => Promise<void>> = {
  ours: uploadOurs,
  'lib-storage': (endpoint, mebibytes) =>
    uploadWithLibStorage(
      makeS3Client(storeOptions(endpoint), new AbortController().signal, new Set()),
      mebibytes,
    ),
  'lib-storage with SDK defaults': (endpoint, mebibytes) => {
    const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
    const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
    return uploadWithLibStorage(client, mebibytes);
  },
};

/** One measured upload, in a process of its own. */
async function contend(contender: Contender, endpoint: string, mebibytes: number): Promise<void> {
  const begin = performance.now();
  await uploads[contender](endpoint, mebibytes);
  const result: Result = {
    seconds: (performance.now() - begin) / 1000,
    peak: process.resourceUsage().maxRSS / 1024,
  };
  console.log(JSON.stringify(result));
}

/** Answers the calls of uploads and forgets their bytes; only lengths and metadata are kept. */
async function sink(tls: Certificates | undefined): Promise<void> {
  const objects = new Map<string, { bytes: number; putId: string; complete: boolean }>();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = '', headers } = request;
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://sink');
    const object = objects.get(pathname);
    response.setHeader('ETag', '"0"');
    if (method === 'HEAD') {
      if (object?.complete !== true) response.statusCode = 404;
      else {
        response.setHeader('Content-Length', object.bytes);
        response.setHeader('x-amz-meta-redis-agent-put', object.putId);
      }
      response.end();
    } else if (searchParams.has('list-type')) {
      response.end('<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>');
    } else if (searchParams.has('uploads')) {
      const putId = String(headers['x-amz-meta-redis-agent-put'] ?? '');
      objects.set(pathname, { bytes: 0, putId, complete: false });
      response.end('<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>');
    } else if (object !== undefined && method === 'POST') {
      object.complete = true;
      response.end('<CompleteMultipartUploadResult><ETag>"0"</ETag></CompleteMultipartUploadResult>');
    } else {
      const bytes = Number(headers['content-length']);
      if (object !== undefined) object.bytes += bytes;
      else {
        const putId = String(headers['x-amz-meta-redis-agent-put'] ?? '');
        objects.set(pathname, { bytes, putId, complete: true });
      }
      response.end();
    }
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    request.resume().once('end', () => answer(request, response));
  };
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer({ key: readFileSync(tls.key), cert: readFileSync(tls.cert) }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  console.log(JSON.stringify(typeof address === 'object' ? address?.port : address));
  process.once('SIGTERM', () => process.exit(0));
}

function start(tls: Certificates | undefined, ...args: string[]): ChildProcess {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', import.meta.filename, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: tls === undefined ? process.env : { ...process.env, NODE_EXTRA_CA_CERTS: tls.ca },
  });
}

/** The first line that a child writes, parsed. */
async function firstLine<T>(child: ChildProcess): Promise<T> {
  if (child.stdout === null) throw new Error('the child has no stdout');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by this file
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line) as T;
  throw new Error('the child wrote nothing');
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function compare(tls: Certificates | undefined, mebibytes: number, rounds: number): Promise<void> {
  const server = start(tls, '--sink', JSON.stringify(tls ?? null));
  const scheme = tls === undefined ? 'http' : 'https';
  try {
    const endpoint = `${scheme}://127.0.0.1:${await firstLine<number>(server)}`;
    const results: Record<Contender, Result[]> = {
      ours: [],
      'lib-storage': [],
      'lib-storage with SDK defaults': [],
    };
    // Alternating, so that whatever else this machine does hits both.
    for (let round = 0; round < rounds; round += 1)
      for (const contender of contenders) {
        const child = start(tls, '--contend', contender, endpoint, String(mebibytes));
        const ended = once(child, 'close');
        results[contender].push(await firstLine<Result>(child));
        await ended;
      }
    for (const contender of contenders) {
      const seconds = median(results[contender].map((result) => result.seconds));
      const peak = Math.max(...results[contender].map((result) => result.peak));
      const each = results[contender].map((result) => result.seconds.toFixed(2)).join(' ');
      const rate = ((mebibytes * mebibyte) / 1e6 / seconds).toFixed(0);
      console.log(
        `${scheme.padEnd(6)}${contender.padEnd(30)} ${rate} MB/s (${each} s), peak ${peak.toFixed(0)} MiB`,
      );
    }
    const seconds = (contender: Contender): number =>
      median(results[contender].map((result) => result.seconds));
    const ratio = (seconds('lib-storage') / seconds('ours')).toFixed(2);
    console.log(
      `${scheme.padEnd(6)}ratio to lib-storage with the same client: ${ratio} (target at least ${target})`,
    );
  } finally {
    server.kill();
  }
}

async function main(mebibytes: number, rounds: number): Promise<void> {
  await compare(undefined, mebibytes, rounds);
  const folder = mkdtempSync(join(tmpdir(), 'redis-agent-bench-'));
  try {
    await compare(makeCertificates(folder), mebibytes, rounds);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [mode, ...args] = process.argv.slice(2);
if (mode === '--sink') {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by compare()
  const tls = JSON.parse(args[0] ?? 'null') as Certificates | null;
  await sink(tls ?? undefined);
} else if (mode === '--contend') {
  const contender = contenders.find((name) => name === args[0]) ?? 'ours';
  await contend(contender, args[1] ?? '', Number(args[2]));
} else await main(Number(mode ?? 1024), Number(args[0] ?? 5));
