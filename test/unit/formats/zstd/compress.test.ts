import { randomBytes } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { compressFrame, frameBytes } from '../../../../src/formats/zstd/compress.ts';
import { headerBytes, parseHeader } from '../../../../src/formats/zstd/frame-header.ts';

test('makes one frame that says its length and has a checksum, from nothing to a full block', async () => {
  for (const bytes of [0, 1, 1000, 200_000, frameBytes]) {
    for (const plain of [randomBytes(bytes), Buffer.alloc(bytes, 'text ')]) {
      const frame = await compressFrame(plain, 1);
      const header = parseHeader(frame.subarray(4, 4 + headerBytes(frame[4]!)));
      expect(header).toMatchObject({ contentBytes: bytes, hasChecksum: true });
      expect(zstdDecompressSync(frame).equals(plain)).toBe(true);
    }
  }
});

test('levels differ', async () => {
  const plain = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `${i * 7919} `).join(''));
  expect((await compressFrame(plain, 19)).length).toBeLessThan((await compressFrame(plain, 1)).length);
});
