import { expect, test } from 'vitest';
import { guards } from '../../../src/harden/plan/guards.ts';
import type { ConnectedClient, PlanFacts } from '../../../src/harden/plan/facts.ts';
import { tlsPolicy } from '../../../src/harden/policy/tls-policy.ts';

const plain: ConnectedClient = { from: '10.0.0.9', to: '10.0.0.1', port: 6379, user: 'web' };
const facts = (clients: readonly ConnectedClient[] | undefined, clientsMoved = false): PlanFacts => ({
  policy: tlsPolicy({ cert: '', key: '', ca: '', port: 6380, clients: 'no', closePlain: true, clientsMoved }),
  engine: { engine: 'redis', version: '7.0.15', docker: false },
  config: new Map([['port', '6379']]),
  files: [],
  entries: [],
  memory: undefined,
  usedMemory: 0,
  connectedClients: 1,
  defaultMayAll: true,
  defaultOpen: true,
  clients,
  agent: { url: 'rediss://10.0.0.1:6380', hasCertificate: true, from: undefined, to: undefined },
  aclfile: undefined,
});
const why = (name: string, to: string, ...of: Parameters<typeof facts>): string | undefined =>
  guards[name]?.(to, facts(...of))?.why;

test('a port is closed when it is known that no client comes by it', () => {
  expect(why('port', '0', [])).toBeUndefined();
  expect(why('port', '0', [{ ...plain, port: 6380 }])).toBeUndefined();
  expect(why('port', '0', [plain])).toMatch(/^1 client is connected by that port.*10\.0\.0\.9 as web$/);
});

test('where it is not known that is said, and whoever asks may say so himself', () => {
  const hidden = { ...plain, to: undefined, port: undefined };
  expect(why('port', '0', undefined)).toMatch(/whoever asks may not list the clients/);
  expect(why('port', '0', [hidden])).toMatch(/by which of its ports 1 client comes cannot be seen/);
  expect(guards['port']?.('0', facts([hidden]))?.instead).toMatch(/--clients-moved/);
  expect(why('port', '0', undefined, true)).toBeUndefined();
  expect(why('port', '0', [hidden], true)).toBeUndefined();
  // What is seen is seen.
  expect(why('port', '0', [hidden, plain], true)).toMatch(/^1 client is connected by that port/);
});

test('whom an address or protected mode would keep out is not known either', () => {
  const hidden = { ...plain, to: undefined, port: undefined };
  expect(why('bind', '10.0.0.1', [plain])).toBeUndefined();
  expect(why('bind', '10.0.0.2', [plain])).toMatch(/would not listen any more/);
  expect(why('bind', '10.0.0.1', [hidden])).toMatch(/cannot be seen/);
  expect(why('bind', '10.0.0.1', undefined)).toMatch(/cannot be seen/);
  expect(why('protected-mode', 'yes', undefined)).toMatch(/cannot be seen/);
});
