import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { RdbReader } from '../../../../src/formats/rdb/rdb-reader.ts';
import { ValueDecoder } from '../../../../src/formats/rdb/value-decoder.ts';
import { writeRdb } from '../../../support/rdb/rdb-writer.ts';

/** Hardly compresses, so that it is stored as its bytes. */
const noise = Array.from({ length: 100 }, (_, index) =>
  createHash('sha512').update(`${index}`).digest('base64'),
).join('');
const values = [
  '',
  'short',
  noise.slice(0, 63),
  noise.slice(0, 64),
  noise,
  'abc'.repeat(500),
  '12345',
  'the last',
];
const { bytes: file } = writeRdb({
  engine: 'redis',
  version: 10,
  checksum: true,
  items: values.map((text, index) => ({
    kind: 'key' as const,
    name: Buffer.from(`key:${index}`),
    code: 0,
    contents: { data: 'string' as const, bytes: Buffer.from(text) },
  })),
});

test.each([1, 2, 39, 128, 129, 4096, file.length])(
  'strings that come in pieces are the same, read in chunks of %i bytes',
  (size) => {
    const found: string[] = [];
    const decoder = new ValueDecoder({
      begin: () => void found.push(''),
      string: (value) => void found.push(found.pop() + Buffer.from(value).toString()),
      piece(value) {
        pieces++;
        found.push(found.pop() + Buffer.from(value).toString());
      },
    });
    let pieces = 0;
    const reader = new RdbReader({ wish: () => 'tokens' }, { sink: decoder });
    for (let at = 0; at < file.length; at += size) reader.update(file.subarray(at, at + size));
    expect(reader.finish()).toMatchObject({ crc: 'ok', records: values.length });
    expect(found).toEqual(values);
    // What is compressed, or an integer, comes whole.
    expect(pieces).toBeGreaterThanOrEqual(Math.max(values.length - 2, noise.length / size));
  },
);
