import { describe, expect, test } from 'vitest';
import { asRenamed, cli } from '../../../src/app/runbook/report.ts';

describe('redis-cli as it is offered', () => {
  test.each([
    ['redis://127.0.0.1:6379', 'redis-cli'],
    ['redis://10.0.0.1:6390', 'redis-cli -h 10.0.0.1 -p 6390'],
    ['redis://[::1]:6390', 'redis-cli -h ::1 -p 6390'],
    ['unix:///run/my%20redis.sock', "redis-cli -s '/run/my redis.sock'"],
  ])('%s', (url, command) => {
    expect(cli({ url })).toBe(command);
  });

  test('by TLS it knows the authority and has the certificate that the agent has', () => {
    expect(cli({ url: 'rediss://db:6380' })).toBe('redis-cli -h db -p 6380 --tls');
    const tls = { ca: '/etc/tls/my ca.pem', cert: '/c.pem', key: '/k.pem', server_name: 'redis.example' };
    expect(cli({ url: 'rediss://db:6380', tls })).toBe(
      "redis-cli -h db -p 6380 --tls --cacert '/etc/tls/my ca.pem' --cert /c.pem --key /k.pem --sni redis.example",
    );
  });
});

test('a command that the server knows by another name is offered by that', () => {
  const instance = { url: 'redis://127.0.0.1:6390', renamed: { CONFIG: 'CFG_9' } };
  const redis = cli(instance);
  expect(asRenamed(instance, `${redis} CONFIG SET maxmemory 1gb`)).toBe(
    'redis-cli -p 6390 CFG_9 SET maxmemory 1gb',
  );
  expect(asRenamed(instance, `${redis} BGSAVE`)).toBe('redis-cli -p 6390 BGSAVE');
  expect(asRenamed(instance, 'redis-agent status')).toBe('redis-agent status');
});
