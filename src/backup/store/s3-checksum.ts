import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * The checksum that uploads carry, for the server to compare. Over TLS it is CRC32, and the signature leaves the body
 * out: TLS and the signed CRC32 protect it. Over plain HTTP the signature has to cover the body's SHA-256, so that one
 * hash is the checksum as well. Either way each byte is hashed as little as can be: it is most of an upload's work.
 */
export type Checksum = 'CRC32' | 'SHA256';

export function checksumAt(endpoint: string | undefined): Checksum {
  return endpoint?.startsWith('http:') === true ? 'SHA256' : 'CRC32';
}

/** A body without checksum headers, for services that refuse them: every S3 knows Content-MD5. */
export function withMd5(body: Buffer): { Body: Buffer; ContentMD5: string } {
  return { Body: body, ContentMD5: hash('md5', body, 'base64') };
}

/** A body with its checksum; the SDK then computes none, and zlib's CRC32 is many times faster than its own. */
export function withChecksum(body: Buffer, checksum: Checksum) {
  if (checksum === 'SHA256')
    return { Body: body, ChecksumAlgorithm: checksum, ChecksumSHA256: hash('sha256', body, 'base64') };
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return { Body: body, ChecksumAlgorithm: checksum, ChecksumCRC32: sum.toString('base64') };
}

/** What the signature says of a body with such a checksum (x-amz-content-sha256); undefined leaves it to the SDK. */
export function signedPayload(protocol: string, headers: Record<string, string>): string | undefined {
  if (protocol === 'https:' && headers['x-amz-checksum-crc32'] !== undefined) return 'UNSIGNED-PAYLOAD';
  const sha256 = headers['x-amz-checksum-sha256'];
  return sha256 === undefined ? undefined : Buffer.from(sha256, 'base64').toString('hex');
}
