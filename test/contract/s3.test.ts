import { randomBytes } from 'node:crypto';
import { availableS3Servers } from '../support/stores/s3-servers.ts';
import type { StoreSubject } from './store-harness.ts';
import { storeContract } from './store.ts';

// radosgw is left out: on plain files it lists new objects twice and those of several parts not at all.
for (const known of availableS3Servers().filter(({ name }) => name !== 'radosgw'))
  storeContract(`s3 on ${known.name}`, () => subjectOn(known.start), known.missing);

async function subjectOn(start: ReturnType<typeof availableS3Servers>[0]['start']): Promise<StoreSubject> {
  const server = await start?.();
  if (server === undefined) throw new Error('this server is not here');
  return {
    fresh: async () => ({
      type: 's3',
      endpoint: server.endpoint,
      bucket: server.bucket,
      prefix: randomBytes(4).toString('hex'),
      accessKeyId: server.accessKeyId,
      secretAccessKey: server.secretAccessKey,
    }),
    // moto looks and then replaces, so of uploads that end in the same moment several win.
    supports: { ...server.supports, ifNoneMatchMultipart: false },
    stop: () => server.stop(),
  };
}
