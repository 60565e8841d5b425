// Whose connections are whose decides whom a runbook offers to end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { clientProcesses, connectionsByProcess } from '../../src/app/runbook/connected-processes.ts';

async function listenOn(host: string, port = 0): Promise<{ port: number; server: Server }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket)).listen(port, host);
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  return { port: (server.address() as AddressInfo).port, server };
}

test('a process is a client where both ends are, and not because another host’s client has its port', async () => {
  const { port } = await listenOn('127.0.0.1');
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  const here = `redis://127.0.0.1:${port}`;
  expect(await clientProcesses(here, [`127.0.0.1:${socket.localPort}`])).toMatchObject([
    { pid: process.pid },
  ]);
  expect(await clientProcesses(here, [`10.99.99.99:${socket.localPort}`])).toEqual([]);
  const elsewhere = `redis://192.0.2.7:${port}`;
  expect(await clientProcesses(elsewhere, [`127.0.0.1:${socket.localPort}`])).toEqual([]);
});

test('who holds connections to a server of that port elsewhere does not hold them to this one', async () => {
  const { port, server } = await listenOn('127.0.0.1');
  const came = once(server, 'connection');
  const child = spawn('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}; read`], { stdio: 'pipe' });
  onTestFinished(async () => {
    child.kill();
    await once(child, 'exit');
  });
  await came;
  expect(await connectionsByProcess(`redis://127.0.0.1:${port}`)).toEqual([
    { pid: child.pid, program: 'bash', count: 1 },
  ]);
  expect(await connectionsByProcess(`redis://192.0.2.7:${port}`)).toEqual([]);
});
