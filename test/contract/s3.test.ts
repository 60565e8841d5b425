import { randomBytes } from 'node:crypto';
import { startFauxqs } from '../support/fauxqs.ts';
import { storeContract } from './store.ts';

storeContract('s3 on fauxqs', async () => {
  const server = await startFauxqs();
  return {
    fresh: async () => ({
      type: 's3',
      endpoint: server.endpoint,
      bucket: 'test',
      prefix: randomBytes(4).toString('hex'),
      accessKeyId: 'test',
      secretAccessKey: 'test-secret',
    }),
    supports: { ifNoneMatch: false, ifNoneMatchMultipart: false, multipart: true, listsUploads: false },
    stop: server.stop,
  };
});
