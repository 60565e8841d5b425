import { Crc64 } from '../../src/formats/rdb/crc64.ts';

/**
 * A made-up RDB of exactly `bytes` bytes (18, or 26 and more): one key `k`, whose value `fill` fills, between a right
 * header, end opcode and CRC64.
 */
export function makeRdb(
  bytes: number,
  options: { magic?: string; fill?: (body: Buffer) => void } = {},
): Buffer {
  const rdb = Buffer.alloc(bytes);
  rdb.write(options.magic ?? 'REDIS0010', 'latin1');
  if (bytes > 18) {
    const value = bytes - 26;
    rdb.set([0, 1, 0x6b, 0x80], 9);
    rdb.writeUInt32BE(value, 13);
    options.fill?.(rdb.subarray(17, -9));
  }
  rdb[bytes - 9] = 0xff;
  rdb.writeBigUInt64LE(new Crc64({ portable: true }).update(rdb.subarray(0, -8)).digest(), bytes - 8);
  return rdb;
}
