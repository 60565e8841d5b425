import { Crc64 } from '../../src/formats/rdb/crc64.ts';

/** A made-up RDB of exactly `bytes` bytes (18 or more): a right header, end opcode and CRC64 around `fill`. */
export function makeRdb(
  bytes: number,
  options: { magic?: string; fill?: (body: Buffer) => void } = {},
): Buffer {
  const rdb = Buffer.alloc(bytes);
  rdb.write(options.magic ?? 'REDIS0010', 'latin1');
  options.fill?.(rdb.subarray(9, -9));
  rdb[bytes - 9] = 0xff;
  rdb.writeBigUInt64LE(new Crc64({ portable: true }).update(rdb.subarray(0, -8)).digest(), bytes - 8);
  return rdb;
}
