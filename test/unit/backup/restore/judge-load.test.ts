import { describe, expect, test } from 'vitest';
import { judgeLoad, reportLoad } from '../../../../src/backup/restore/judge-load.ts';
import { parseInfo } from '../../../../src/formats/info/parse-info.ts';

/** Of a server whose base had 5 keys, and that holds 10 after its commands. */
const info = parseInfo(
  'rdb_last_load_keys_loaded:5\r\nrdb_last_load_keys_expired:0\r\n# Keyspace\r\ndb0:keys=10,expires=2,avg_ttl=0\r\n',
);
const databases = { 0: { keys: 10, expires: 2 } };

describe('what was loaded from commands', () => {
  test('is not counted by the load of their base', () => {
    expect(judgeLoad({ kind: 'aof', databases, exact: true }, info, true)).toBeUndefined();
    expect(judgeLoad({ databases, exact: true }, info, true)).toBe('5 keys were loaded instead of 10');
    expect(reportLoad({ kind: 'aof', databases, exact: true }, info)).toEqual({
      databases: { 0: { expected: 10, found: 10 } },
      loaded: null,
      expired: null,
    });
  });

  test('may lack what had expired, and no more', () => {
    const expected = (keys: number, expires: number) => ({
      kind: 'aof' as const,
      databases: { 0: { keys, expires } },
      exact: true,
    });
    expect(judgeLoad(expected(12, 2), info, true)).toBeUndefined();
    expect(judgeLoad(expected(13, 2), info, true)).toBe('database 0 holds 10 keys instead of 13');
    // Later clients may have deleted some.
    expect(judgeLoad(expected(13, 2), info, false)).toBeUndefined();
  });
});
