import { buildApp } from 'fauxqs';

/** What npm alone provides as an S3 server: in this process, on loopback, with an empty bucket `test`. */
export async function startFauxqs(): Promise<{ endpoint: string; stop: () => Promise<void> }> {
  const app = buildApp({ logger: false });
  // Its own limit of 11 MiB is below our part size.
  app.removeContentTypeParser('*');
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: 256 * 1024 * 1024 },
    (_request, body, done) => {
      done(null, body);
    },
  );
  const endpoint = await app.listen({ port: 0, host: '127.0.0.1' });
  await fetch(`${endpoint}/test`, { method: 'PUT' });
  return {
    endpoint,
    stop: async () => {
      await app.close();
    },
  };
}
