import { expect, test } from 'vitest';
import { inspectClients } from '../../../../src/harden/read/inspect-clients.ts';

const line = (fields: string): string => `id=7 addr=10.0.0.9:41502 laddr=10.0.0.1:6379 fd=8 name= ${fields}`;
const users = (...lines: string[]): unknown[] => inspectClients(lines.join('\n'), 1).map(({ user }) => user);

test('from where, to which address and port, whose, and what it is', () => {
  const list = [
    'id=1 addr=127.0.0.1:5 laddr=127.0.0.1:6379 name= age=0 flags=N cmd=client|list user=admin',
    'id=2 addr=[::1]:6 laddr=[::1]:6379 name= age=9 flags=S cmd=replconf user=replica',
    'id=3 addr=/run/r.sock:0 laddr=/run/r.sock:0 name=sentinel-1-cmd age=9 flags=U cmd=ping user=watcher',
    '',
  ].join('\n');
  expect(inspectClients(list, 1)).toEqual([
    { from: '127.0.0.1', to: '127.0.0.1', port: 6379, own: true, user: 'admin', kind: 'client' },
    { from: '::1', to: '::1', port: 6379, own: false, user: 'replica', kind: 'replica' },
    { from: '/', to: '/', port: 0, own: false, user: 'watcher', kind: 'sentinel' },
  ]);
});

test('whoever has not said yet who he is is not taken for default', () => {
  expect(users(line('age=0 flags=N cmd=NULL user=default'))).toEqual([undefined]);
  expect(users(line('age=30 flags=N cmd=NULL user=default'))).toEqual(['default']);
  expect(users(line('age=0 flags=N cmd=get user=default'))).toEqual(['default']);
});

test('a connection that was reset is nobody’s', () => {
  expect(users('id=7 addr=?:0 laddr=10.0.0.1:6379 age=0 flags=N cmd=get user=default')).toEqual([]);
});

test('before 6.2 the server does not tell its own end: by its sockets, where they can be seen', () => {
  const list =
    'id=2 addr=10.0.0.9:41502 name= cmd=get user=web\nid=3 addr=/run/r.sock:0 name= cmd=get user=web\n';
  const [client, local] = inspectClients(list, 1, new Map([['10.0.0.9:41502', '10.0.0.1:6379']]));
  expect(client).toMatchObject({ from: '10.0.0.9', to: '10.0.0.1', port: 6379 });
  expect(local).toMatchObject({ from: '/', to: '/', port: 0 });
  expect(inspectClients(list, 1)[0]).toMatchObject({ to: undefined, port: undefined });
});
