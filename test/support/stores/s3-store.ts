import { openS3Store, type S3StoreOptions } from '../../../src/backup/store/s3.ts';
import type { Store } from '../../../src/backup/store/store.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { instantClock } from '../clocks/instant-clock.ts';
import type { S3TestServer } from './s3-servers.ts';

/** A store on a test server, or on a proxy before it (`endpoint`); waits between retries are over at once. */
export async function openTestS3Store(
  server: S3TestServer,
  options: Partial<S3StoreOptions> = {},
): Promise<Store> {
  const { accessKeyId, secretAccessKey } = server;
  return await openS3Store({
    bucket: server.bucket,
    prefix: '',
    region: server.region,
    endpoint: server.endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey: new Secret(secretAccessKey) },
    clock: instantClock(),
    ...options,
  });
}
