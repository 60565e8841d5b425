import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { oddDumps } from '../../support/rdb/odd-dumps.ts';
import { findBuild, startServer, type ServerBuild } from '../../support/servers/redis-server.ts';

interface Case {
  name: string;
  code: number;
  says: RegExp;
  /** That the server has then; as before, where it was refused. */
  keys?: number;
}

/** What only a whole dump tells, and what servers pass over. */
const cases = ({ engine }: ServerBuild): Case[] => [
  { name: 'a key twice', code: 6, says: /has this key twice/ },
  {
    name: 'a high database without keys',
    code: 7,
    says: /uses database 20, and the server has 16 databases/,
  },
  { name: 'a library that does not compile', code: 7, says: /scratch server of its version does not load/ },
  { name: 'an empty list beside a key', code: 0, says: /./, keys: 1 },
  engine === 'valkey'
    ? { name: 'a stream with a stale length', code: 7, says: /1 of its streams state another length/ }
    : { name: 'a stream with a stale length', code: 0, says: /./, keys: 2 },
];

const present = (...builds: (ServerBuild | undefined)[]): ServerBuild[] =>
  builds.filter((build) => build !== undefined);
const builds = present(findBuild('redis', '7.0'), findBuild('valkey', '9.1'));

describe.for(builds)('$name', (build: ServerBuild) => {
  test.for(cases(build))('lives through a live restore of $name', async ({ name, code, says, keys }) => {
    const server = await startServer({ build });
    const config = writeConfig({ server });
    const file = join(config.folder, 'odd.rdb');
    writeFileSync(file, oddDumps[name]!.bytes);
    await server.call('SET', 'before', '1');
    const found = await runAgent(['restore', file, '--method', 'live', '--yes', '--no-pre-backup'], {
      config,
    });
    expect(found).toMatchObject({ code, stderr: expect.stringMatching(says) });
    expect(await server.call('DBSIZE')).toBe(keys ?? 1);
    expect(await server.call('EXISTS', 'before')).toBe(code === 0 ? 0 : 1);
  });

  test('writes keys of odd dumps, and says which way each went', async () => {
    const server = await startServer({ build });
    const config = writeConfig({ server });
    const into = async (name: string): Promise<Awaited<ReturnType<typeof runAgent>>> => {
      const file = join(config.folder, 'odd.rdb');
      writeFileSync(file, oddDumps[name]!.bytes);
      await server.call('FLUSHALL');
      return await runAgent(['restore', file, '--keys', '*', '--into', server.url, '--yes'], { config });
    };
    expect(await into('a key twice')).toMatchObject({ code: 6, stderr: expect.stringMatching(/key twice/) });
    expect(await into('an empty list beside a key')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/1 key written.*\n.*1 without any element/),
    });
    expect(await into('a stream with a stale length')).toMatchObject({ code: 0 });
    expect(await server.call('EXISTS', 's', 'other')).toBe(2);
  });
});

/** What RESTORE takes as it is, and what ends the server when somebody reads the key. */
const packed = [
  'field expiries that fall',
  'a field that never expires before one that does',
  'a stream node of deleted entries',
  'more entries added than a server can count',
];

test.for(present(findBuild('redis', '8.0'), ...builds))(
  '$name is given no key whose packed elements are damaged',
  async (build) => {
    const server = await startServer({ build });
    const config = writeConfig({ server });
    const file = join(config.folder, 'odd.rdb');
    for (const name of packed) {
      writeFileSync(file, oddDumps[name]!.bytes);
      const found = await runAgent(['restore', file, '--keys', '*', '--into', server.url, '--yes'], {
        config,
      });
      expect({ name, ...found }).toMatchObject({
        code: 6,
        stderr: expect.stringMatching(oddDumps[name]!.says),
      });
      expect(await server.call('EXISTS', 'h', 's')).toBe(0);
      await server.call('FLUSHALL');
    }
  },
);
