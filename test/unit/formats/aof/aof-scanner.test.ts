import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AofScanner, type AofScan } from '../../../../src/formats/aof/aof-scanner.ts';
import { Crc64 } from '../../../../src/formats/rdb/crc64.ts';
import { resp } from '../../../support/data/resp.ts';
import { runs } from '../../../support/house/tier.ts';

/** An RDB of Redis 7.0: two aux fields, one key, its checksum. */
function makeRdb(): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  const body = Buffer.concat([
    Buffer.from('REDIS0010'),
    ...[
      ['redis-ver', '7.0.15'],
      ['ctime', '1700000000'],
    ].map(([name = '', value = '']) => Buffer.concat([Buffer.from([0xfa]), text(name), text(value)])),
    Buffer.from([0xfe, 0, 0]),
    text('key'),
    text('value'),
    Buffer.from([0xff]),
  ]);
  const trailer = Buffer.alloc(8);
  trailer.writeBigUInt64LE(new Crc64().update(body).digest());
  return Buffer.concat([body, trailer]);
}

const rdb = makeRdb();
const tail = resp(['SELECT', '0'], ['SET', 'a', '1']);
const both = Buffer.concat([rdb, tail]);

function scan(bytes: Uint8Array, { chunk = bytes.length, preamble = true } = {}): AofScan {
  const scanner = new AofScanner({ preamble });
  for (let at = 0; at < bytes.length; at += chunk)
    scanner.update(Buffer.from(bytes.subarray(at, at + chunk)));
  return scanner.result();
}

const preamble = {
  version: { engine: 'redis', version: 10 },
  bytes: rdb.length,
  keys: 1,
  createdAt: 1_700_000_000,
  writtenBy: { engine: 'redis', version: '7.0.15' },
};

test('an RDB alone, with commands behind it, and commands alone, in any chunks', () => {
  for (let chunk = 1; chunk <= both.length; chunk++) {
    expect(scan(rdb, { chunk })).toMatchObject({
      preamble,
      commands: 0,
      sound: rdb.length,
      end: { state: 'ok' },
    });
    expect(scan(both, { chunk })).toMatchObject({
      preamble,
      commands: 2,
      sound: both.length,
      end: { state: 'ok' },
    });
    expect(scan(tail, { chunk })).toMatchObject({ preamble: undefined, commands: 2, end: { state: 'ok' } });
  }
});

test('cut at every byte', () => {
  for (let length = 1; length <= both.length; length++) {
    const { end, sound, bytes } = scan(both.subarray(0, length), { chunk: 5 });
    expect(bytes).toBe(length);
    const first = rdb.length + resp(['SELECT', '0']).length;
    const whole = [rdb.length, first, both.length];
    const inside = length < rdb.length ? 'preamble' : 'command';
    expect(end).toMatchObject(whole.includes(length) ? { state: 'ok' } : { state: 'torn', inside });
    expect(sound).toBe(Math.max(0, ...whole.filter((each) => each <= length)));
  }
});

test('an RDB where there may be none, the end mark of a replication stream, and a newer RDB', () => {
  expect(scan(rdb, { preamble: false }).end).toMatchObject({ state: 'corrupt', offset: 0, found: 'R' });
  const marked = Buffer.concat([rdb, Buffer.from('a'.repeat(40))]);
  expect(scan(marked).end).toMatchObject({ state: 'corrupt', offset: rdb.length, found: 'a' });
  const newer = Buffer.concat([Buffer.from('REDIS0999'), Buffer.from([200, 1, 2, 3])]);
  expect(scan(newer)).toMatchObject({ sound: 0, end: { state: 'unknown' } });
});

test('a flipped byte in the RDB is found by its checksum', () => {
  fc.assert(
    fc.property(fc.nat(rdb.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const bytes = Buffer.from(both);
      bytes[at]! ^= bits;
      expect(scan(bytes, { chunk: 9 }).end.state).not.toBe('ok');
    }),
    { numRuns: runs(500) },
  );
});

test('goes on where another run has ended', () => {
  const scanner = new AofScanner({ preamble: true, offset: 500 });
  scanner.update(tail);
  expect(scanner.result()).toMatchObject({ bytes: 500 + tail.length, sound: 500 + tail.length, commands: 2 });
});

test('nothing at all', () => {
  expect(scan(Buffer.alloc(0), { chunk: 1 })).toMatchObject({ bytes: 0, sound: 0, end: { state: 'ok' } });
});
