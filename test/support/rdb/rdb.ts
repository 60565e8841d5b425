import { Crc64 } from '../../../src/formats/rdb/crc64.ts';

/** A file of these records: a right header, end opcode and CRC64 around `body`. */
export function rdbOf(body: Uint8Array, magic = 'REDIS0010'): Buffer {
  const rdb = Buffer.concat([Buffer.from(magic, 'latin1'), body, Buffer.of(0xff), Buffer.alloc(8)]);
  const crc = new Crc64({ portable: true }).update(rdb.subarray(0, -8)).digest();
  rdb.writeBigUInt64LE(crc, rdb.length - 8);
  return rdb;
}

/** A made-up RDB of exactly `bytes` bytes (18, or 26 and more), with one key `k`, whose value `fill` fills. */
export function makeRdb(
  bytes: number,
  { magic, fill }: { magic?: string; fill?: (value: Buffer) => void } = {},
): Buffer {
  const body = Buffer.alloc(bytes - 18);
  if (body.length > 0) {
    body.set([0, 1, 0x6b, 0x80]);
    body.writeUInt32BE(body.length - 8, 4);
    fill?.(body.subarray(8));
  }
  return rdbOf(body, magic);
}
