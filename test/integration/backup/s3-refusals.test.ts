import { createServer } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { S3StoreOptions } from '../../../src/backup/store/s3.ts';
import type { Store } from '../../../src/backup/store/store.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import {
  startFaultServer,
  type Fault,
  type FaultServer,
  type S3Call,
} from '../../support/stores/fault-server.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { patternChunks } from '../../support/data/pattern.ts';
import { startFauxqs, type S3TestServer } from '../../support/stores/s3-servers.ts';
import { openTestS3Store } from '../../support/stores/s3-store.ts';

const mebibyte = 1024 * 1024;
const never = new AbortController().signal;
const refuse = (code: string, status = 403): Fault => ({ kind: 'answer', status, code });

/** Every operation, on a key that is there. */
const operations: Record<string, (store: Store) => Promise<unknown>> = {
  put: (store) => store.put('new', patternChunks(10), { signal: never }),
  get: (store) => store.get('old', { signal: never }),
  stat: (store) => store.stat('old', { signal: never }),
  list: (store) => store.list('', { signal: never })[Symbol.asyncIterator]().next(),
  remove: (store) => store.remove('old', { signal: never }),
  sweep: (store) => store.sweep('', { before: new Date(), signal: never }),
};
const names = Object.keys(operations);

describe('s3 refusals', () => {
  let server: S3TestServer;
  let proxy: FaultServer;

  beforeAll(async () => {
    server = await startFauxqs();
    proxy = await startFaultServer(server.endpoint);
    const preparing = await openTestS3Store(server);
    await preparing.put('old', patternChunks(10), { signal: never });
    await preparing.close();
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });
  beforeEach(() => proxy.reset());

  async function open(options: Partial<S3StoreOptions> = {}): Promise<Store> {
    const store = await openTestS3Store(server, { endpoint: proxy.endpoint, ...options });
    onTestFinished(() => store.close());
    return store;
  }

  /** What an operation rejects with. */
  async function refusal(operation: string, options: Partial<S3StoreOptions> = {}): Promise<unknown> {
    const store = await open(options);
    return await operations[operation]?.(store).then(
      () => 'no error',
      (error: unknown) => error,
    );
  }

  function planEverywhere(fault: Fault): void {
    const calls: S3Call[] = ['HeadObject', 'GetObject', 'PutObject', 'DeleteObject', 'ListObjects'];
    for (const call of [...calls, 'ListUploads' as const]) proxy.plan(call, fault);
  }

  test.each(names)('%s: a clock that is wrong', async (operation) => {
    planEverywhere(refuse('RequestTimeTooSkewed'));
    const error = await refusal(operation);
    expect(error).toMatchObject({ code: 'repository', reason: 'clock-skew' });
    expect(error).toMatchObject({ hint: expect.stringMatching(/timedatectl|chronyc/) });
    expect(proxy.calls.length).toBeLessThanOrEqual(2);
  });

  test.each(names)('%s: credentials that are wrong', async (operation) => {
    for (const code of ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken']) {
      proxy.reset();
      planEverywhere(refuse(code));
      const error = await refusal(operation);
      expect(error).toMatchObject({ reason: 'denied', hint: expect.stringContaining('credentials') });
      expect(String(error)).toContain(code);
    }
  });

  test.each([
    ['put', 'PutObject', 's3:PutObject'],
    ['get', 'HeadObject', 's3:GetObject'],
    ['stat', 'HeadObject', 's3:GetObject'],
    ['list', 'ListObjects', 's3:ListBucket'],
    ['remove', 'DeleteObject', 's3:DeleteObject'],
    ['sweep', 'ListUploads', 's3:ListBucketMultipartUploads'],
  ] as const)('%s without the right to it names what to grant', async (operation, call, action) => {
    proxy.plan(call, refuse('AccessDenied'));
    const error = await refusal(operation);
    expect(error).toMatchObject({ reason: 'denied', hint: expect.stringContaining(`grant ${action} on`) });
  });

  test('an upload that may not go on is given up', async () => {
    proxy.plan('UploadPart', refuse('AccessDenied'), { skip: 1 });
    const store = await open();
    const putting = store.put('large', patternChunks(40 * mebibyte), { signal: never });
    await expect(putting).rejects.toMatchObject({ reason: 'denied' });
    expect([...proxy.openUploads]).toEqual([]);
  });

  test.each(names.filter((name) => name !== 'sweep'))('%s: a bucket that is not there', async (operation) => {
    const error = await refusal(operation, { bucket: 'no-such-bucket' });
    expect(error).toMatchObject({ code: 'repository', reason: 'no-bucket' });
    expect(String(error)).toContain('no-such-bucket');
  });

  test.each(names)('%s: nobody listens', async (operation) => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const error = await refusal(operation, { endpoint });
    expect(error).toMatchObject({
      reason: 'unavailable',
      message: expect.stringContaining(`reach ${endpoint}`),
    });
  });

  test('a host that has no address', async () => {
    const error = await refusal('list', { endpoint: 'http://s3.invalid' });
    expect(error).toMatchObject({
      reason: 'unavailable',
      message: expect.stringContaining('http://s3.invalid'),
    });
  });

  test.each(names)('%s: something that is not S3', async (operation) => {
    const web = createServer((_request, response) => {
      response.writeHead(404, { 'Content-Type': 'text/html' }).end('<html><body><p>Log in</body></html>');
    }).listen(0, '127.0.0.1');
    await once(web, 'listening');
    onTestFinished(() => {
      web.closeAllConnections();
      web.close();
    });
    const address = web.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const error = await refusal(operation, { endpoint: `http://127.0.0.1:${port}` });
    expect(error).toMatchObject({ code: 'repository', reason: 'unavailable' });
    expect(error).toMatchObject({ hint: expect.stringContaining('endpoint') });
  });

  test.each([
    ['PermanentRedirect', 301, 'unavailable', /repository.region/],
    ['AuthorizationHeaderMalformed', 400, 'unavailable', /repository.region/],
    ['QuotaExceeded', 403, 'full', /quota/],
    ['InvalidStorageClass', 400, 'unavailable', /^$/],
  ])('%s', async (code, status, reason, hint) => {
    proxy.plan('PutObject', refuse(code, status));
    const error = await refusal('put');
    expect(error).toBeInstanceOf(AgentError);
    expect(error).toMatchObject({ code: 'repository', reason });
    expect(error instanceof AgentError ? (error.hint ?? '') : code).toMatch(hint);
  });

  test('no credentials anywhere', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
    onTestFinished(() => void vi.unstubAllEnvs());
    const error = await refusal('list', { credentials: undefined });
    expect(error).toMatchObject({ reason: 'denied', hint: expect.stringContaining('AWS_ACCESS_KEY_ID') });
  });

  test('credentials of the environment are used when none are configured', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await refusal('list', { credentials: undefined })).toBe('no error');
  });

  test('an endpoint that is no URL', async () => {
    await expect(open({ endpoint: 'minio:9000' })).rejects.toMatchObject({
      code: 'repository',
      hint: expect.stringContaining('https://host'),
    });
  });

  test('a signal’s reason comes before any of them', async () => {
    const reason = new Error('stop');
    const store = await open({ endpoint: `http://127.0.0.1:${await freePort()}` });
    const stat = store.stat('old', { signal: AbortSignal.abort(reason) });
    await expect(stat).rejects.toBe(reason);
  });
});
