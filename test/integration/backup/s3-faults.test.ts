import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openS3Store } from '../../../src/backup/store/s3.ts';
import { mostAttempts } from '../../../src/backup/store/s3-retry.ts';
import type { Store } from '../../../src/backup/store/store.ts';
import { Secret } from '../../../src/domain/secret.ts';
import {
  startFaultServer,
  type Fault,
  type FaultServer,
  type S3Call,
} from '../../support/stores/fault-server.ts';
import { instantClock } from '../../support/clocks/instant-clock.ts';
import { digestOf, patternChunks } from '../../support/data/pattern.ts';
import { everything } from '../../support/house/tier.ts';
import { availableS3Servers, type S3TestServer } from '../../support/stores/s3-servers.ts';

const mebibyte = 1024 * 1024;
/** The smallest part that services take. */
const partSize = 5 * mebibyte;
/** One PutObject; three parts. */
const small = 2 * mebibyte;
const large = 11 * mebibyte;
const never = new AbortController().signal;
const slowDown: Fault = { kind: 'answer', status: 503, code: 'SlowDown' };
const error500: Fault = { kind: 'answer', status: 500, code: 'InternalError' };
const errorIn200: Fault = { kind: 'answer', status: 200, code: 'InternalError' };
const loseAnswer: Fault = { kind: 'lose-answer' };
const flipBit: Fault = { kind: 'flip-bit' };
const refuse = (code: string, status = 403): Fault => ({ kind: 'answer', status, code });
const busy = (seconds: string): Fault => ({
  kind: 'answer',
  status: 429,
  code: 'TooManyRequests',
  headers: { 'Retry-After': seconds },
});

const outlasted: [string, S3Call, Fault, number, number][] = [
  ['429 TooManyRequests', 'PutObject', refuse('TooManyRequests', 429), 3, small],
  ['500', 'PutObject', error500, 3, small],
  ['503 SlowDown', 'PutObject', slowDown, 5, small],
  ['a dropped connection', 'PutObject', { kind: 'drop-upload', after: mebibyte }, 2, small],
  ['a lost answer', 'PutObject', loseAnswer, 1, small],
  ['a lost answer each time', 'PutObject', loseAnswer, 100, small],
  ['a damaged body', 'PutObject', flipBit, 2, small],
  ['503 SlowDown', 'HeadObject', slowDown, 2, small],
  ['a dropped connection', 'ListObjects', { kind: 'drop-upload', after: 0 }, 1, small],
  ['503 SlowDown', 'CreateUpload', slowDown, 2, large],
  ['500', 'UploadPart', error500, 6, large],
  ['a dropped connection', 'UploadPart', { kind: 'drop-upload', after: 2 * mebibyte }, 3, large],
  ['a lost answer', 'UploadPart', loseAnswer, 2, large],
  ['a damaged body', 'UploadPart', flipBit, 2, large],
  ['an error in a 200 body', 'CompleteUpload', errorIn200, 2, large],
  ['an empty 200 body', 'CompleteUpload', { kind: 'answer', status: 200 }, 1, large],
  ['a dropped connection', 'CompleteUpload', { kind: 'drop-upload', after: 0 }, 1, large],
  ['a lost answer', 'CompleteUpload', loseAnswer, 1, large],
  ['a lost answer each time', 'CompleteUpload', loseAnswer, 100, large],
];

// moto as well, because it honours If-None-Match: a retry after a lost answer meets its own object.
describe.each(availableS3Servers().filter(({ name }) => name !== 'radosgw'))(
  '$name',
  ({ name, start, missing }) => {
    /** What is the same whoever stores it, since it happens in between, is tried in a usual run before one of them. */
    const isOne = everything || name === 'fauxqs';
    describe.skipIf(start === undefined)(missing ?? 'behind faults', () => {
      let server: S3TestServer | undefined;
      let proxy: FaultServer;
      let store: Store;
      let sleeps: number[];
      let number = 0;

      beforeAll(async () => {
        server = await start?.();
        proxy = await startFaultServer(server?.endpoint ?? '');
      });
      afterAll(async () => {
        await proxy.stop();
        await server?.stop();
      });
      beforeEach(async () => {
        proxy.reset();
        sleeps = [];
        number += 1;
        store = await openS3Store({
          bucket: server?.bucket ?? '',
          prefix: `faults/${number}`,
          region: 'us-east-1',
          endpoint: proxy.endpoint,
          forcePathStyle: true,
          partSize,
          credentials: {
            accessKeyId: server?.accessKeyId ?? '',
            secretAccessKey: new Secret(server?.secretAccessKey ?? ''),
          },
          clock: instantClock(sleeps),
        });
      });
      afterEach(async () => {
        await store.close();
      });

      const put = async (size: number): Promise<{ bytes: number }> =>
        await store.put('a/b', patternChunks(size), { signal: never });
      const count = (call: S3Call): number => proxy.calls.filter((each) => each === call).length;

      /** Reads it back past the faults and compares. */
      async function expectStored(size: number): Promise<void> {
        const reader = await store.get('a/b', { signal: never });
        expect(await digestOf(reader.chunks)).toEqual(await digestOf(patternChunks(size)));
        expect([...proxy.openUploads]).toEqual([]);
      }

      async function expectNothing(): Promise<void> {
        proxy.reset();
        const keys: string[] = [];
        for await (const { key } of store.list('', { signal: never })) keys.push(key);
        expect(keys).toEqual([]);
      }

      test.each(outlasted.filter(([what]) => isOne || what.startsWith('a lost answer')))(
        'outlasts %s to %s',
        async (_name, call, fault, times, size) => {
          proxy.plan(call, fault, { times });
          expect(await put(size)).toEqual({ bytes: size });
          await expectStored(size);
        },
      );

      test.runIf(isOne).each<[string, S3Call, Fault, number]>([
        ['503 SlowDown', 'PutObject', slowDown, small],
        ['503 SlowDown', 'HeadObject', slowDown, small],
        ['a dropped connection', 'PutObject', { kind: 'drop-upload', after: mebibyte }, small],
        ['a damaged body', 'PutObject', flipBit, small],
        ['503 SlowDown', 'CreateUpload', slowDown, large],
        ['500', 'UploadPart', error500, large],
        ['a dropped connection', 'UploadPart', { kind: 'drop-upload', after: 2 * mebibyte }, large],
        ['an error in a 200 body', 'CompleteUpload', errorIn200, large],
      ])('gives up on lasting %s to %s, leaving nothing', async (_name, call, fault, size) => {
        proxy.plan(call, fault);
        await expect(put(size)).rejects.toMatchObject({ code: 'repository', reason: 'unavailable' });
        expect(count(call)).toBeLessThanOrEqual(3 * mostAttempts);
        expect([...proxy.openUploads]).toEqual([]);
        await expectNothing();
      });

      test('names the endpoint when it keeps failing', async () => {
        proxy.plan('PutObject', slowDown);
        await expect(put(small)).rejects.toThrow(`${proxy.endpoint} answers 503 SlowDown again and again`);
        expect(count('PutObject')).toBe(mostAttempts);
        expect(sleeps).toHaveLength(mostAttempts - 1);
      });

      test('waits as long as Retry-After says, up to a minute', async () => {
        proxy.plan('PutObject', busy('17'), { times: 1 });
        proxy.plan('PutObject', busy('3600'), { times: 1 });
        await put(small);
        expect(sleeps.map((ms) => Math.round(ms / 1000))).toEqual([17, 60]);
      });

      test('stops waiting for a retry when the signal aborts', async () => {
        proxy.plan('PutObject', slowDown);
        const abort = new AbortController();
        const reason = new Error('stop');
        const waiting = await openS3Store({
          bucket: server?.bucket ?? '',
          prefix: '',
          region: 'us-east-1',
          endpoint: proxy.endpoint,
          forcePathStyle: true,
          credentials: { accessKeyId: 'test', secretAccessKey: new Secret('test') },
          clock: {
            ...instantClock(),
            sleep: () => {
              abort.abort(reason);
              return new Promise(() => {});
            },
          },
        });
        const putting = waiting.put('a/b', patternChunks(small), { signal: abort.signal });
        await expect(putting).rejects.toBe(reason);
        await waiting.close();
      });

      test('does not mind a service that minds removing what is not there', async () => {
        proxy.plan('DeleteObject', refuse('NoSuchKey', 404));
        await store.remove('a/b', { signal: never });
        expect(count('DeleteObject')).toBe(1);
      });

      test('sends a checksum with every body', async () => {
        await put(large);
        expect(proxy.checked).toBe(3);
        await store.put('c', patternChunks(small), { signal: never });
        expect(proxy.checked).toBe(4);
      });

      test('does without conditional writes where they are not implemented', async () => {
        proxy.plan('PutObject', refuse('NotImplemented', 501), { times: 1 });
        await put(small);
        await expectStored(small);
        await expect(put(small)).rejects.toMatchObject({ reason: 'exists' });
      });

      test('takes up a dropped download where it broke', async () => {
        await put(large);
        proxy.plan('GetObject', { kind: 'drop-download', after: 2 * mebibyte }, { times: 5 });
        await expectStored(large);
        expect(count('GetObject')).toBe(6);
      });

      test.runIf(isOne).each<[string, Fault[], string]>([
        ['keeps dropping', [{ kind: 'drop-download', after: 0 }], 'unavailable'],
        ['ends early and cleanly', [{ kind: 'cut-download', after: mebibyte }], 'truncated'],
        ['ends early and cleanly at once', [{ kind: 'cut-download', after: 0 }], 'truncated'],
        ['is too long', [{ kind: 'longer-download', extra: 'x' }], 'truncated'],
        [
          'starts anew',
          [{ kind: 'drop-download', after: mebibyte }, { kind: 'ignore-range' }],
          'unavailable',
        ],
        [
          'is of another object',
          [{ kind: 'drop-download', after: mebibyte }, refuse('PreconditionFailed', 412)],
          'unavailable',
        ],
        ['is refused', [refuse('AccessDenied')], 'denied'],
        ['is of an object that has gone', [refuse('NoSuchKey', 404)], 'missing'],
      ])('does not accept a download that %s', async (_name, faults, reason) => {
        await put(small);
        const [last, ...first] = faults.toReversed();
        for (const fault of first) proxy.plan('GetObject', fault, { times: 1 });
        if (last !== undefined) proxy.plan('GetObject', last);
        const { chunks } = await store.get('a/b', { signal: never });
        await expect(digestOf(chunks)).rejects.toMatchObject({ code: 'repository', reason });
        expect(count('GetObject')).toBeLessThanOrEqual(8);
      });

      test('removes what is stored with another length than was sent', async () => {
        const wrong: Fault = { kind: 'answer', status: 200, headers: { 'Content-Length': '5' } };
        proxy.plan('HeadObject', wrong, { skip: 2, times: 1 });
        await expect(put(small)).rejects.toMatchObject({ reason: 'truncated' });
        await expectNothing();
      });

      test('takes the server’s word when it cannot be asked again', async () => {
        proxy.plan('HeadObject', slowDown, { skip: 2 });
        expect(await put(small)).toEqual({ bytes: small });
      });

      test('says so when another writer’s object is there in the end', async () => {
        const other: Fault = {
          kind: 'answer',
          status: 200,
          headers: { 'x-amz-meta-redis-agent-put': 'other' },
        };
        proxy.plan('HeadObject', other, { skip: 2, times: 1 });
        await expect(put(small)).rejects.toMatchObject({ reason: 'exists' });
      });
    });
  },
);
