import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server on loopback that can be cut or held up, as networks do. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  /** redis://127.0.0.1:port */
  readonly url: string;
  /** Bytes that clients have sent through it. */
  readonly passed: number;
  /** Cuts every connection once clients have sent that many bytes in all, and refuses new ones. */
  cutAfter(bytes: number): void;
  /** From that many bytes on, nothing passes in either direction, and nothing is closed. */
  stallAfter(bytes: number): void;
  /** What the server says arrives so much later, milliseconds. */
  slowDown(ms: number): void;
}

export async function startCuttingProxy(targetPort: number): Promise<CuttingProxy> {
  let passed = 0;
  let limit = Infinity;
  let stalls = false;
  let delay = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.on('data', (chunk) => {
      const room = Math.max(0, limit - passed);
      passed += chunk.length;
      upstream.write(chunk.subarray(0, room));
      if (passed < limit) return;
      if (!stalls) client.destroy();
      else for (const socket of sockets) socket.pause();
    });
    upstream.on('data', (chunk) => {
      if (delay === 0) client.write(chunk);
      else setTimeout(() => client.writable && client.write(chunk), delay);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get passed() {
      return passed;
    },
    slowDown: (ms) => void (delay = ms),
    cutAfter: (bytes) => void (limit = bytes),
    stallAfter(bytes) {
      limit = bytes;
      stalls = true;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
