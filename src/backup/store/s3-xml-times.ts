import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Lack } from './s3-lacks.ts';

/** `2026-11-29T14:00:00[.000]`, which the SDK takes for no time at all, and with it the whole listing. */
const unzoned = /<(LastModified|Initiated)>(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)<\//g;
/** A page of a listing has a thousand entries. */
const mostBytes = 16 * 1024 * 1024;

/** Lets listings be read whose times have no zone: they are UTC, as everywhere in S3. Below the SDK's own parsing. */
export function readUnzonedTimes(client: S3Client, lacks: Set<Lack>): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { response } = result;
      if (!isAnswer(response)) return result;
      mendHeader(response.headers, lacks);
      const type = response.headers['content-type'] ?? '';
      if (!type.includes('xml') || !(response.body instanceof Readable)) return result;
      const bytes = await readAll(response.body);
      const text = bytes.toString('utf8');
      const mended = text.replaceAll(unzoned, '<$1>$2T$3Z</');
      if (mended !== text) lacks.add('times');
      response.body = Readable.from([mended === text ? bytes : Buffer.from(mended)], { objectMode: false });
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'unzonedTimes' },
  );
}

/** HEAD's time is for people: one that cannot be read is none. */
function mendHeader(headers: Record<string, string>, lacks: Set<Lack>): void {
  const text = headers['last-modified'];
  if (text === undefined || text.endsWith('GMT')) return;
  lacks.add('times');
  const time = Date.parse(/[zZ]$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(time)) delete headers['last-modified'];
  else headers['last-modified'] = new Date(time).toUTCString();
}

async function readAll(body: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    if ((bytes += part.length) > mostBytes) throw new Error('the listing is too long');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function isAnswer(response: unknown): response is { headers: Record<string, string>; body: unknown } {
  return typeof response === 'object' && response !== null && 'headers' in response && 'body' in response;
}
