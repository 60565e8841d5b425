import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * A way to a server on loopback that has it say something else, as a program of somebody's does who has taken its port:
 * lines of INFO by their names. Resolves with the URL; it ends with the test.
 */
export async function startLyingProxy(targetPort: number, lies: Record<string, string>): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => client.write(told(chunk.toString('latin1'), lies), 'latin1'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a listening TCP server
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A reply that is one bulk string of INFO, with its length put right. */
function told(reply: string, lies: Record<string, string>): string {
  const text = /^\$\d+\r\n((?:# |redis_version).*)\r\n$/s.exec(reply)?.[1];
  if (text === undefined) return reply;
  const changed = Object.entries(lies).reduce(
    (all, [name, value]) => all.replace(new RegExp(`^${name}:.*$`, 'm'), `${name}:${value}\r`),
    text,
  );
  return `$${changed.length}\r\n${changed}\r\n`;
}
