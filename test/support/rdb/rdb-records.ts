import type { RdbRecord } from '../../../src/formats/rdb/rdb-handler.ts';
import { valueTypes } from '../../../src/formats/rdb/value-types.ts';

/** A record as a reader of a Redis file would hand it over: a string without an expiry, unless told otherwise. */
export function makeRecord(
  key: string | Uint8Array,
  { code = 0, ...parts }: Partial<RdbRecord> & { code?: number } = {},
): RdbRecord {
  const name = Buffer.from(key);
  const type = valueTypes.find((each) => each.code === code && each.since.redis !== undefined);
  if (type === undefined) throw new Error(`there is no type ${code}`);
  return {
    index: 0,
    offset: 0,
    database: 0,
    type,
    // Somewhere within others, as in a buffer that is read.
    bytes: Buffer.concat([Buffer.from('before:'), name, Buffer.from(':after')]),
    keyFrom: 7,
    keyTo: 7 + name.length,
    keyBytes: name.length,
    expiresAt: -1,
    idle: -1,
    frequency: -1,
    elements: 1,
    valueBytes: 10,
    plainBytes: 10,
    strings: 1,
    longest: 9,
    integer: false,
    ...parts,
  };
}
