import { beforeEach, describe, expect, test } from 'vitest';
import type { Store, StoredObject } from '../../../src/backup/store/store.ts';
import { runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import type { FaultServer } from '../../support/stores/fault-server.ts';
import { s3Repository, startFaultyS3 } from '../../support/stores/faulty-s3.ts';
import { startServer } from '../../support/servers/redis-server.ts';
import { openTestS3Store } from '../../support/stores/s3-store.ts';
import type { S3TestServer } from '../../support/stores/s3-servers.ts';

let server: S3TestServer;
let faults: FaultServer;
const never = new AbortController().signal;

beforeEach(async () => {
  ({ store: server, faults } = await startFaultyS3());
});

const entry = (key: string, bytes = 1): string =>
  `<Contents><Key>${key}</Key><Size>${bytes}</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>`;
const page = (inner: string): string =>
  `<ListBucketResult><Name>${server.bucket}</Name>${inner}</ListBucketResult>`;
const answer = (body: string, times?: number): void =>
  faults.plan('ListObjects', { kind: 'answer', status: 200, body }, times === undefined ? {} : { times });

describe('a listing whose paging is broken is an error', () => {
  const truncated = '<IsTruncated>true</IsTruncated>';
  const token = '<NextContinuationToken>t1</NextContinuationToken>';
  test.each<[string, () => void, string]>([
    [
      'cut off, without a token',
      () => answer(page(entry('a') + truncated)),
      'is cut off, and gives no token for the rest of it',
    ],
    [
      'cut off, with an empty token',
      () => answer(page(`${entry('a')}${truncated}<NextContinuationToken/>`)),
      'is cut off, and gives no token for the rest of it',
    ],
    [
      'paging as ListObjects of version 1 does',
      () => answer(page(`<Marker/>${entry('a')}${truncated}<NextMarker>a</NextMarker>`)),
      'is cut off, and gives no token for the rest of it',
    ],
    [
      'the same token again',
      () => {
        answer(page(entry('a') + truncated + token), 1);
        answer(page(entry('b') + truncated + token));
      },
      'gives the same token for the rest again and again',
    ],
    [
      'the same token again, with nothing',
      () => answer(page(truncated + token)),
      'gives the same token for the rest again and again',
    ],
    [
      'the first page again, whatever the token',
      () => {
        answer(page(entry('a') + truncated + token), 1);
        answer(page(`${entry('a')}${truncated}<NextContinuationToken>t2</NextContinuationToken>`));
      },
      'begins again instead of going on',
    ],
  ])('%s', async (_name, plan, problem) => {
    plan();
    const store = await openTestS3Store(server, { endpoint: faults.endpoint });
    await expect(listAll(store)).rejects.toMatchObject({ code: 'repository', reason: 'unavailable' });
    faults.reset();
    plan();
    await expect(listAll(store)).rejects.toThrow(problem);
    await store.close();
  });

  test('of several pages all are read, also where only the token says that there are more', async () => {
    answer(page(entry('a') + token), 1);
    answer(page(`${entry('b')}${truncated}<NextContinuationToken>t2</NextContinuationToken>`), 1);
    answer(page(`${entry('c')}<IsTruncated>false</IsTruncated>`));
    const store = await openTestS3Store(server, { endpoint: faults.endpoint });
    expect((await listAll(store)).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    await store.close();
  });

  test('one of unfinished uploads too', async () => {
    const body = `<ListMultipartUploadsResult>${truncated}</ListMultipartUploadsResult>`;
    faults.plan('ListUploads', { kind: 'answer', status: 200, body });
    const store = await openTestS3Store(server, { endpoint: faults.endpoint });
    await expect(store.sweep('', { before: new Date(), signal: never })).rejects.toThrow('gives no token');
    await store.close();
  });
});

async function listAll(store: Store): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for await (const object of store.list('', { signal: never })) objects.push(object);
  return objects;
}

describe('a listing that lags', () => {
  let config: TestConfig;
  let first: string;
  let second: string;

  beforeEach(async () => {
    const redis = await startServer();
    await redis.call('SET', 'key', 'value');
    config = writeConfig({ server: redis });
    config.rewrite({ server: redis, ...s3Repository(config, server, faults.endpoint) });
    first = await takeBackup(config, '--no-verify');
    second = await takeBackup(config, '--no-verify');
  });

  /** Of the newest only what `shown` names, besides the whole of the one before. */
  async function lag(shown: readonly string[]): Promise<void> {
    const store = await openTestS3Store(server);
    const objects = (await listAll(store)).filter(
      ({ key }) => !key.includes(second) || shown.some((name) => key.endsWith(`/${name}`)),
    );
    await store.close();
    answer(page(objects.map(({ key, bytes }) => entry(key, bytes)).join('')));
  }

  async function keysOf(id: string): Promise<string[]> {
    const store = await openTestS3Store(server);
    const objects = await listAll(store);
    await store.close();
    return objects.flatMap(({ key }) => (key.includes(id) ? [key.split('/').at(-1) ?? ''] : []));
  }

  test.each([
    ['its dump', ['dump.rdb.zst']],
    ['its manifest', ['manifest.json']],
    ['its report', ['keys.json']],
  ])('and shows of the newest only %s costs no backup, and hides none', async (_name, shown) => {
    await lag(shown);
    const listed = await runAgent(['backups', 'list', '--json'], { config });
    expect(listed.json.backups.map(({ id, state }: Record<string, string>) => [id, state])).toEqual(
      expect.arrayContaining([
        [first, 'complete'],
        [second, 'complete'],
      ]),
    );
    await takeBackup(config, '--no-verify');
    expect(await keysOf(second)).toEqual(expect.arrayContaining(['dump.rdb.zst', 'manifest.json']));
  });

  test('and still shows what is gone lets nothing go because of that', async () => {
    await lag(['dump.rdb.zst', 'manifest.json']);
    const store = await openTestS3Store(server);
    const dump = (await listAll(store)).find(({ key }) => key.includes(second) && key.includes('dump'));
    await store.remove(dump?.key ?? '', { signal: never });
    await store.close();
    const { repository } = s3Repository(config, server, faults.endpoint);
    const retention = { days: 0, keep_min: 1 };
    config.rewrite({ repository, settings: { backup: { retention } } });
    const { code, stderr } = await runAgent(['backups', 'prune', '--yes'], { config });
    expect({ code, stderr }).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('nothing was removed'),
    });
    expect(await keysOf(first)).toContain('manifest.json');
  });
});
