import { expect, test } from 'vitest';
import { RdbReader } from '../../../../src/formats/rdb/rdb-reader.ts';
import { rdbOf } from '../../../support/rdb/rdb.ts';

test.for([1, 7, 32, 1000])('a buffer of %i bytes that is filled again and again', (bytes) => {
  const names = Array.from({ length: 300 }, (_, index) => `key:${index}:${'n'.repeat(index % 40)}`);
  const records = names.map((name) =>
    Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), Buffer.of(5), Buffer.from('value')]),
  );
  const file = rdbOf(Buffer.concat(records));
  const seen: string[] = [];
  const reader = new RdbReader({
    record: ({ bytes: from, keyFrom, keyTo }) =>
      seen.push(Buffer.from(from.subarray(keyFrom, keyTo)).toString()),
  });
  const buffer = Buffer.alloc(bytes);
  for (let at = 0; at < file.length; at += bytes) {
    const length = file.copy(buffer, 0, at);
    reader.update(buffer.subarray(0, length));
  }
  expect(reader.finish()).toMatchObject({ records: 300, crc: 'ok' });
  expect(seen).toEqual(names);
});
