import { createServer, type AddressInfo } from 'node:net';

/** A port of loopback that is free at this moment. */
export async function freeLoopbackPort(): Promise<number> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a server that listens on TCP
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
