import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RespScanner, type RespScan } from '../../../../src/formats/aof/resp-scanner.ts';
import { resp } from '../../../support/data/resp.ts';
import { runs } from '../../../support/house/tier.ts';

function scan(bytes: Uint8Array, chunk = 7): RespScan {
  const scanner = new RespScanner();
  const reused = Buffer.alloc(chunk);
  for (let at = 0; at < bytes.length; at += chunk) {
    const length = reused.set(bytes.subarray(at, at + chunk)) ?? Math.min(chunk, bytes.length - at);
    scanner.update(reused.subarray(0, length));
    reused.fill(0x2a);
  }
  return scanner.result();
}

const select = resp(['SELECT', '0']);
const whole = Buffer.concat([
  Buffer.from('#TS:1700000000\r\n'),
  select,
  resp(['SET', 'key', 'va\r\n#TS:1\r\nlue'], ['MULTI'], ['INCR', 'a'], ['INCR', 'b'], ['EXEC']),
  Buffer.from('#TS:1700000009\r\n# something else\r\n'),
  resp(['set', '', '']),
]);

test('counts commands and finds annotations by the framing', () => {
  expect(scan(whole)).toEqual({
    bytes: whole.length,
    commands: 7,
    sound: whole.length,
    soundCommands: 7,
    timestamps: { first: 1_700_000_000, last: 1_700_000_009 },
    end: { state: 'ok' },
  });
});

test('nothing is sound and empty', () => {
  expect(scan(Buffer.alloc(0))).toMatchObject({ bytes: 0, commands: 0, sound: 0, end: { state: 'ok' } });
});

test('cut at every byte: torn, or whole at the ends of commands outside of MULTI', () => {
  const ends = new Set([0]);
  let inMulti = false;
  const scanner = new RespScanner({
    onCommand(command) {
      const name = command.describe().toUpperCase();
      inMulti = name === 'MULTI' || (inMulti && name !== 'EXEC');
      if (!inMulti) ends.add(command.end);
    },
  });
  scanner.update(whole);
  for (const match of whole.toString('latin1').matchAll(/#TS:17\d+\r\n|# something else\r\n/g))
    ends.add(match.index + match[0].length);
  for (let length = 0; length <= whole.length; length++) {
    const { end, sound, bytes } = scan(whole.subarray(0, length));
    expect(bytes).toBe(length);
    expect(sound).toBe(Math.max(...[...ends].filter((each) => each <= length)));
    expect(end.state).toBe(ends.has(length) ? 'ok' : 'torn');
  }
});

test('a transaction without its end is torn as a whole', () => {
  const open = resp(['SET', 'a', '1'], ['MULTI'], ['INCR', 'a'], ['INCR', 'b']);
  const cut = resp(['SET', 'a', '1']).length;
  expect(scan(open)).toMatchObject({
    commands: 4,
    soundCommands: 1,
    sound: cut,
    end: { state: 'torn', inside: 'transaction', command: undefined },
  });
  const annotated = Buffer.concat([open, Buffer.from('#TS:5\r\n')]);
  expect(scan(annotated)).toMatchObject({ sound: cut, end: { inside: 'transaction', command: undefined } });
  const begun = Buffer.concat([open, Buffer.from('*2\r\n$3')]);
  expect(scan(begun)).toMatchObject({ sound: cut, end: { inside: 'transaction', command: open.length } });
});

describe('corrupt, where and what was expected', () => {
  const before = select.length;
  test.for<[what: string, bytes: Buffer | string, offset: number, expected: RegExp, found: string]>([
    ['no command', 'SET a 1\r\n', 0, /^\* and the number/, 'S'],
    ['zero arguments', '*0\r\n', 3, /at least one argument/, 'byte 10'],
    ['a negative count', '*-1\r\n', 1, /a number/, '-'],
    ['no number', '*\r\n', 1, /a number/, 'byte 13'],
    ['a line break of one byte', '*1\n', 2, /a number and a line break/, 'byte 10'],
    ['no length', '*1\r\n+OK\r\n', 4, /^\$ and the length/, '+'],
    ['a length that is too short', '*1\r\n$2\r\nSET\r\n', 10, /line break behind an argument/, 'T'],
    ['a length that is too long', '*1\r\n$4\r\nSET\r\n*1', 12, /line break behind an argument/, 'byte 10'],
    ['a hostile count', `*${'9'.repeat(30)}\r\n`, 16, /at most 15 digits/, '9'],
    ['a hostile length', `*1\r\n$${'9'.repeat(30)}\r\n`, 20, /at most 15 digits/, '9'],
    ['EXEC alone', resp(['EXEC']), 0, /MULTI before an EXEC/, 'EXEC'],
    ['MULTI in MULTI', resp(['multi'], ['Multi']), 15, /EXEC before the next MULTI/, 'MULTI'],
    ['a long annotation', `#${'x'.repeat(2000)}`, 1025, /annotation of at most 1024/, 'x'],
  ])('%s', ([, bytes, offset, expected, found]) => {
    const { end, sound } = scan(Buffer.concat([select, Buffer.from(bytes)]));
    expect(end).toMatchObject({ state: 'corrupt', offset: before + offset, found });
    expect(end).toHaveProperty('expected', expect.stringMatching(expected));
    expect(sound).toBe(before);
  });
});

test('a length of terabytes takes no memory and is a torn end', () => {
  expect(scan(Buffer.concat([select, Buffer.from('*900000000\r\n$900000000000000\r\nabc')]))).toMatchObject({
    sound: select.length,
    end: { state: 'torn', inside: 'command' },
  });
});

test('a command has no more arguments than a server can count', () => {
  const end = (count: string): unknown => scan(Buffer.from(`*${count}\r\n$3\r\nset\r\n`)).end;
  expect(end('2147483647')).toMatchObject({ state: 'torn' });
  expect(end('2147483648')).toMatchObject({ state: 'corrupt', expected: expect.stringMatching(/at most/) });
});

test('starts anywhere in a file', () => {
  const scanner = new RespScanner({ offset: 1000 });
  scanner.update(select);
  scanner.update(Buffer.from('x'));
  expect(scanner.result()).toMatchObject({
    bytes: 1001 + select.length,
    sound: 1000 + select.length,
    end: { state: 'corrupt', offset: 1000 + select.length },
  });
});

test('describes commands for people, with bounds', () => {
  const seen: string[] = [];
  const scanner = new RespScanner({
    onCommand: (command) => void seen.push(`${command.offset}-${command.end} ${command.describe()}`),
  });
  const bytes = resp(
    ['SET', 'a key', 'x"\\\u0000é'],
    ['RPUSH', 'l', ...Array.from({ length: 50 }, (_, index) => String(index))],
    ['SET', 'k', 'v'.repeat(500), 'EX'],
    ['DEL', ''],
  );
  scanner.update(bytes);
  expect(seen).toEqual([
    expect.stringMatching(/^0-\d+ SET "a key" "x\\"\\\\\\x00\\xc3\\xa9"$/),
    expect.stringMatching(/ RPUSH l 0 1 2 3 4 5 … \(52 arguments\)$/),
    expect.stringMatching(/ SET k v{116}… … \(4 arguments\)$/),
    expect.stringMatching(/ DEL ""$/),
  ]);
});

const commands = fc.array(fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 4 }), {
  maxLength: 8,
});

test('any commands in any chunks are read whole', () => {
  fc.assert(
    fc.property(commands, fc.integer({ min: 1, max: 50 }), (all, chunk) => {
      const names = all.map(([name = '']) => Buffer.from(name).toString('latin1').toUpperCase());
      fc.pre(!names.includes('MULTI') && !names.includes('EXEC'));
      const bytes = resp(...all);
      expect(scan(bytes, chunk)).toEqual(scan(bytes, bytes.length + 1));
      expect(scan(bytes, chunk)).toMatchObject({
        commands: all.length,
        sound: bytes.length,
        end: { state: 'ok' },
      });
    }),
  );
});

test('a flipped byte never throws, and never makes more sound than there is', () => {
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= bits;
      const { sound, end } = scan(bytes);
      expect(sound).toBeLessThanOrEqual(bytes.length);
      expect(end.state === 'corrupt' ? end.offset : 0).toBeLessThan(bytes.length);
      expect(end.state === 'ok').toBe(sound === bytes.length);
    }),
    { numRuns: runs(1000) },
  );
});

test('any bytes at all', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(scan(Buffer.concat([select, bytes])).sound).toBeGreaterThanOrEqual(select.length);
    }),
  );
});

describe('administrative commands', () => {
  const before = resp(['SELECT', '0'], ['SET', 'MODULE', 'CONFIG']);
  test.each([
    [['MODULE', 'LOAD', '/x.so'], 'MODULE'],
    [['mOdUlE', 'LOAD', '/x.so'], 'MODULE'],
    [['acl', 'SETUSER', 'x'], 'ACL'],
    [['Config', 'SET', 'dir', '/'], 'CONFIG'],
    [['bgrewriteaof'], 'BGREWRITEAOF'],
    [['CLUSTER', 'RESET'], 'CLUSTER'],
    [['cluster'], 'CLUSTER'],
  ])('%s is hostile, where it begins', (words, command) => {
    const bytes = Buffer.concat([before, resp(words, ['SET', 'a', 'b'])]);
    const end = { state: 'hostile', offset: before.length, command };
    for (const chunk of [1, 7, 1000])
      expect(scan(bytes, chunk)).toMatchObject({ sound: before.length, commands: 2, end });
  });

  test('within a transaction as well, and nothing of it is sound', () => {
    const inside = Buffer.concat([before, resp(['MULTI'], ['SET', 'a', '1'])]);
    const { end, sound } = scan(Buffer.concat([inside, resp(['module', 'LOAD', 'x'], ['EXEC'])]));
    expect(end).toEqual({ state: 'hostile', offset: inside.length, command: 'MODULE' });
    expect(sound).toBe(before.length);
  });

  test.each([
    [['EVAL', 'return 1', '0']],
    [['FUNCTION', 'FLUSH']],
    [['SCRIPT', 'FLUSH']],
    [['PFDEBUG', 'ENCODING', 'h']],
    [['SWAPDB', '0', '1']],
    [['FLUSHALL']],
    [['cluster', 'SyncSlots', 'CONF']],
    [['MODULES']],
    [['SET', 'a', 'MODULE']],
  ])('%s is not', (words) => {
    expect(scan(Buffer.concat([before, resp(words)]))).toMatchObject({ commands: 3, end: { state: 'ok' } });
  });
});
