import { expect, test } from 'vitest';
import { judgeTarget } from '../../../../src/backup/restore-keys/judge-target.ts';
import { parseInfo } from '../../../../src/formats/info/parse-info.ts';

const place = { name: 'host:1', url: 'redis://host:1' };

test.each([
  ['redis_version:7.0.15\r\nredis_mode:sentinel\r\n', 'sentinel'],
  ['redis_version:7.0.15\r\nrole:slave\r\n', 'replica'],
  ['redis_version:7.0.15\r\nloading:1\r\n', 'loading'],
  ['redis_version:4.0.14\r\n', 'old'],
  ['nothing:1\r\n', 'not-redis'],
])('what nothing can be written into is refused: %j', (info, reason) => {
  expect(() => judgeTarget(parseInfo(info), place)).toThrow(expect.objectContaining({ reason }));
});

test('Valkey is told from Redis by its own version', () => {
  const info = parseInfo('redis_version:7.2.4\r\nvalkey_version:8.1.1\r\nrole:master\r\n');
  expect(judgeTarget(info, place)).toMatchObject({ engine: 'valkey', version: '8.1.1' });
});
