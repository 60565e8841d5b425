import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runAgent, takeBackup, writeConfig } from '../../support/agent/cli.ts';
import { fillServer } from '../../support/data/data-set.ts';
import { parseCsvTable } from '../../support/data/parse-csv.ts';
import { oddDumps } from '../../support/rdb/odd-dumps.ts';
import { rdbOf } from '../../support/rdb/rdb.ts';
import { edgeBuilds, startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

function folder(): string {
  const path = makeTempFolder();
  onTestFinished(() => removeTempFolder(path));
  return path;
}

/** A dump of these keys, each a string `x`. */
function dumpOf(...names: (string | Uint8Array)[]): Buffer {
  return rdbOf(
    Buffer.concat(
      names.flatMap((name) => {
        const bytes = Buffer.from(name);
        return [Buffer.of(0, 0x40 | (bytes.length >> 8), bytes.length & 0xff), bytes, Buffer.of(1, 0x78)];
      }),
    ),
  );
}

async function counted(server: TestServer, database: number): Promise<Record<string, number>> {
  await server.call('SELECT', database);
  const script = `local found = {}
    for _, key in ipairs(redis.call('KEYS', '*')) do
      local type = redis.call('TYPE', key).ok
      found[type] = (found[type] or 0) + 1
      if redis.call('PTTL', key) >= 0 then found.expiring = (found.expiring or 0) + 1 end
    end
    local list = {}
    for name, number in pairs(found) do list[#list + 1] = name .. ' ' .. number end
    return list`;
  const list = await server.call('EVAL', script, 0);
  const found = (Array.isArray(list) ? list : []).map((line) => String(line).split(' '));
  return Object.fromEntries(found.map(([name = '', number]) => [name, Number(number)]));
}

describe.for(edgeBuilds().map((build) => ({ name: build.name, build })))('$name', ({ build }) => {
  test('the numbers are the server’s', async () => {
    const server = await startServer({ build });
    await fillServer(server);
    await server.call('SAVE');
    const { code, json } = await runAgent(['keys', server.dumpPath, '--json']);
    expect(code).toBe(0);
    expect(json.databases.map(({ database }: { database: number }) => database)).toEqual([0, 1, 5, 15]);
    for (const { database, types, expiring } of json.databases) {
      const found = await counted(server, database);
      const read = types.map(({ type, keys }: { type: string; keys: number }) => [type, keys]);
      expect({ expiring, ...Object.fromEntries(read) }).toEqual(found);
    }
    const deep = await runAgent(['rdb', 'check', '--deep', '--json', server.dumpPath]);
    expect(deep).toMatchObject({ code: 0, json: { sound: true, crc: 'ok', keys: json.totals.keys } });
  });
});

test('a backup, by its id and the newest, encrypted or not; the repository is all it needs', async () => {
  const server = await startServer();
  await server.call('DEBUG', 'POPULATE', 1000);
  const { generateIdentity, identityToRecipient } = await import('age-encryption');
  const identity = await generateIdentity();
  const encryption = { recipients: [await identityToRecipient(identity)], identity };
  for (const options of [{}, { encryption }]) {
    const config = writeConfig({ server, ...options });
    const id = await takeBackup(config, '--no-verify');
    for (const source of [[], ['latest'], [id]]) {
      const { code, json } = await runAgent(['keys', ...source, '--json'], { config });
      expect({ code, json }).toMatchObject({
        code: 0,
        json: { source: `backup ${id} of main`, totals: { keys: 1000 }, prefixes: { separator: ':' } },
      });
    }
    expect(await runAgent(['rdb', 'check', id], { config })).toMatchObject({ code: 0 });
  }
});

test('a file, plain or compressed, or what comes in, without any configuration', async () => {
  const dump = dumpOf('user:1', 'user:2', 'other');
  const path = join(folder(), 'dump.rdb');
  writeFileSync(path, dump);
  writeFileSync(`${path}.zst`, zstdCompressSync(dump));
  for (const [args, input] of [
    [['keys', path, '--json'], undefined],
    [['keys', `${path}.zst`, '--json'], undefined],
    [['keys', '-', '--json'], dump],
  ] as const) {
    const { code, json } = await runAgent([...args], input === undefined ? {} : { input });
    expect({ code, json }).toMatchObject({
      code: 0,
      json: {
        schema: 1,
        totals: { keys: 3 },
        prefixes: { list: [{ prefix: 'user:', keys: 2 }], none: { keys: 1 } },
      },
    });
  }
});

test('names from outside stay text, and a line has 80 columns', async () => {
  const hostile = [
    '\u001b]0;title\u0007\u001b[2J',
    'line\nbreak\r',
    '=cmd|x!A1',
    '\u202eright to left',
    Buffer.from([0xff, 0xfe, 0x80]),
    'long:'.repeat(100),
    ...Array.from({ length: 30 }, (_, index) => `user:${index}:profile:settings:of:somebody:with:long:names`),
  ];
  const { code, stdout } = await runAgent(['keys', '-', '--top', '40'], { input: dumpOf(...hostile) });
  expect(code).toBe(0);
  expect(stdout.split('\n').filter((line) => Array.from(line).length > 80)).toEqual([]);
  expect(stdout).toContain('\\x1b]0;title\\x07\\x1b[2J');
  expect(stdout).toContain('line\\x0abreak\\x0d');
  expect(stdout).toContain('\\xff\\xfe\\x80');
  expect(stdout).toContain('user:*:profile:');
  const { json } = await runAgent(['keys', '-', '--json', '--top', '40'], { input: dumpOf(...hostile) });
  expect(json.keys.find(({ key }: { key: string }) => key === '\\xff\\xfe\\x80').base64).toBe('//6A');
  const csv = await runAgent(['keys', '-', '--csv', '--top', '40'], { input: dumpOf(...hostile) });
  const names = parseCsvTable(csv.stdout).flatMap(({ section, name = '' }) =>
    section === 'key' ? [name] : [],
  );
  expect(names).toHaveLength(hostile.length);
  expect(names).toEqual(
    expect.arrayContaining([
      "'=cmd|x!A1",
      '\\x1b]0;title\\x07\\x1b[2J',
      'line\\x0abreak\\x0d',
      '\\xff\\xfe\\x80',
    ]),
  );
});

test('what was asked for alone', async () => {
  const server = await startServer();
  await server.call('SET', 'a/b', 'x');
  await server.call('RPUSH', 'a/c', 'x', 'y');
  await server.call('SELECT', 3);
  await server.call('RPUSH', 'l/1', 'x');
  await server.call('SAVE');
  const args = ['keys', server.dumpPath, '--json', '--separator', '/', '--depth', '1'];
  const lists = await runAgent([...args, '--type', 'list']);
  expect(lists.json).toMatchObject({
    totals: { keys: 2, elements: 3 },
    selection: { type: 'list', database: null },
  });
  const third = await runAgent([...args, '--database', '3']);
  expect(third.json).toMatchObject({ totals: { keys: 1 }, databases: [{ database: 3 }] });
  for (const wrong of [
    ['--separator', 'x'],
    ['--top', '0'],
    ['--depth', '99'],
    ['--type', 'lists'],
  ])
    expect(await runAgent(['keys', server.dumpPath, ...wrong])).toMatchObject({ code: 2, stdout: '' });
  expect(await runAgent(['keys', '/nowhere/dump.rdb'])).toMatchObject({ code: 2, stdout: '' });
});

describe('damage', () => {
  const dump = dumpOf('user:1', 'user:2', 'user:3');

  test('is named with its place, and nothing is shown as if it were whole', async () => {
    const flipped = Buffer.from(dump);
    flipped[20] = 99;
    for (const bad of [
      dump.subarray(0, -12),
      dump.subarray(0, 30),
      Buffer.from('no dump at all'),
      Buffer.alloc(0),
      Buffer.concat([dump, dump]),
    ]) {
      const keys = await runAgent(['keys', '-'], { input: bad });
      expect(keys).toMatchObject({ code: 6, stdout: '' });
      expect(keys.stderr).toMatch(/^redis-agent: standard input: byte \d+.*: .+\n$/);
      const check = await runAgent(['rdb', 'check', '-', '--json'], { input: bad });
      expect(check).toMatchObject({ code: 6, json: { sound: false, fault: { kind: 'damaged' } } });
      expect((await runAgent(['rdb', 'check', '-'], { input: bad })).stdout).toMatch(
        /^damaged: standard input: byte \d+/,
      );
    }
    // A type that nobody knows may be a newer server's.
    expect(await runAgent(['keys', '-'], { input: flipped })).toMatchObject({ code: 1, stdout: '' });
  });

  test('of a backup is told with the backup', async () => {
    const server = await startServer();
    const config = writeConfig({ server });
    const id = await takeBackup(config);
    const stored = join(config.repository, 'main', id, 'dump.rdb.zst');
    const bytes = readFileSync(stored);
    bytes[20]! ^= 1;
    writeFileSync(stored, bytes);
    for (const args of [
      ['keys'],
      ['keys', id],
      ['rdb', 'check', 'latest'],
      ['keys', 'diff', '--full', id, id],
    ]) {
      const { code, stderr } = await runAgent(args, { config });
      expect(code).toBe(6);
      expect(stderr).toMatch(
        new RegExp(`^redis-agent: backup ${id} of main: dump\\.rdb\\.zst is damaged: .*verify --all\n$`),
      );
    }
  });

  test('of the only backup, which the list shows, is told where the newest is asked for', async () => {
    const server = await startServer();
    const config = writeConfig({ server });
    const id = await takeBackup(config);
    writeFileSync(join(config.repository, 'main', id, 'dump.rdb.zst'), '');
    expect(await runAgent(['keys'], { config })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /has no backup of kind rdb in .*, and 1 that cannot be used; .*list\n$/,
      ) as unknown,
    });
  });

  test('is none where a replication marker follows', async () => {
    const marked = Buffer.concat([dump, Buffer.from('0123456789abcdef0123456789abcdef01234567')]);
    const check = await runAgent(['rdb', 'check', '-'], { input: marked });
    expect(check).toMatchObject({ code: 0, stdout: expect.stringContaining('replication marker') });
    expect(await runAgent(['keys', '-', '--json'], { input: marked })).toMatchObject({
      code: 0,
      json: { totals: { keys: 3 } },
    });
  });
});

test('rdb check --deep does not claim to have decoded what only a module can', async () => {
  // A string; and a key of a module's type: the id of the type, and the end of its parts.
  const input = rdbOf(Buffer.from([0, 1, 0x61, 1, 0x78, 7, 1, 0x6b, 0x81, 1, 2, 3, 4, 5, 6, 7, 8, 0]));
  const { code, stdout } = await runAgent(['rdb', 'check', '-', '--deep'], { input });
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringContaining(
      '2 keys, 0 of them with a time to live, every value but those of modules (1) decoded',
    ) as unknown,
  });
});

test('the dump that is read is left as it is', async () => {
  const path = join(folder(), 'dump.rdb');
  writeFileSync(path, dumpOf('a'));
  await runAgent(['keys', path]);
  expect(readFileSync(path).equals(dumpOf('a'))).toBe(true);
});

test('keys without an element are noted, whoever reads them', async () => {
  const path = join(folder(), 'dump.rdb');
  const { bytes } = oddDumps['an empty list beside a key'] ?? { bytes: Buffer.alloc(0) };
  writeFileSync(path, bytes);
  const { code, json } = await runAgent(['--json', 'keys', path]);
  expect({ code, empty: json.empty, keys: json.totals.keys }).toEqual({ code: 0, empty: 1, keys: 2 });
  const shown = await runAgent(['keys', path]);
  expect(shown.stdout).toContain('1 of them have no element');
});
