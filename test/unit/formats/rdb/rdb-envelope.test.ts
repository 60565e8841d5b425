import { expect, test } from 'vitest';
import { RdbEnvelope, type EnvelopeVerdict } from '../../../../src/formats/rdb/rdb-envelope.ts';
import { makeRdb } from '../../../support/rdb/rdb.ts';

function check(rdb: Uint8Array, options: { chunk?: number; bytes?: number } = {}): EnvelopeVerdict {
  const envelope = new RdbEnvelope(options.bytes ?? rdb.length);
  const step = options.chunk ?? rdb.length;
  for (let at = 0; at < rdb.length; at += step) envelope.update(rdb.subarray(at, at + step));
  return envelope.finish();
}

test('accepts REDIS and VALKEY headers with a right CRC64, in chunks of any size', () => {
  for (const [magic, rdbVersion] of [
    ['REDIS0009', 9],
    ['REDIS0012', 12],
    ['VALKEY080', 80],
  ] as const) {
    const rdb = makeRdb(100, { magic });
    for (let chunk = 1; chunk <= rdb.length; chunk++) {
      expect(check(rdb, { chunk })).toEqual({ sound: true, rdbVersion, crc: 'ok' });
    }
  }
  expect(check(makeRdb(18))).toMatchObject({ sound: true });
});

test('says when the server wrote no CRC64', () => {
  const rdb = makeRdb(64);
  rdb.fill(0, 56);
  expect(check(rdb)).toEqual({ sound: true, rdbVersion: 10, crc: 'off' });
});

test('finds every flipped byte, every truncation and appended bytes', () => {
  const rdb = makeRdb(64);
  for (let at = 0; at < rdb.length; at++) {
    const flipped = Buffer.from(rdb);
    flipped[at]! ^= 0x10;
    expect(check(flipped), `byte ${at}`).toMatchObject({ sound: false });
    expect(check(rdb.subarray(0, at)), `${at} bytes`).toMatchObject({ sound: false });
    expect(check(rdb.subarray(0, at), { bytes: rdb.length })).toMatchObject({ sound: false });
  }
  expect(check(Buffer.concat([rdb, Buffer.alloc(40)]))).toMatchObject({ sound: false });
  for (const chunk of [104, 30, 7, 1]) {
    expect(check(Buffer.concat([rdb, Buffer.alloc(40)]), { bytes: rdb.length, chunk })).toMatchObject({
      sound: false,
    });
  }
});

test('names what is wrong', () => {
  expect(check(Buffer.from('hello, this is no dump'))).toEqual({
    sound: false,
    problem: 'it does not start with REDIS or VALKEY and a version',
  });
  const rdb = makeRdb(64);
  rdb[20]! ^= 1;
  expect(check(rdb)).toEqual({ sound: false, problem: 'its CRC64 does not match its content' });
});
