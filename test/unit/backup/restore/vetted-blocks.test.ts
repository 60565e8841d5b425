import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { BlockRecorder, vetted, type BlockDigests } from '../../../../src/backup/restore/vetted-blocks.ts';
import { inChunksOf } from '../../../support/data/chunks.ts';

const mib = 1024 * 1024;

function record(bytes: Buffer, size: number): BlockDigests {
  const recorder = new BlockRecorder();
  for (let at = 0; at < bytes.length; at += size) recorder.update(bytes.subarray(at, at + size));
  return recorder.finish();
}

/** What comes through, and how it ends. */
async function pass(
  bytes: Buffer,
  digests: BlockDigests,
  size = 300_000,
): Promise<{ passed: Buffer; error?: unknown }> {
  const parts: Buffer[] = [];
  try {
    for await (const block of vetted(inChunksOf(bytes, size), digests)) parts.push(Buffer.from(block));
    return { passed: Buffer.concat(parts) };
  } catch (error) {
    return { passed: Buffer.concat(parts), error };
  }
}

describe('a second reading', () => {
  test.each([1, 100, mib - 1, mib, mib + 1, 2 * mib, 3 * mib + 12_345])(
    'of %i bytes passes',
    async (length) => {
      const bytes = randomBytes(length);
      for (const size of [70_001, 5 * mib])
        expect((await pass(bytes, record(bytes, 99_999), size)).passed.equals(bytes)).toBe(true);
    },
  );

  test('passes nothing of a block that has changed', async () => {
    const bytes = randomBytes(3 * mib + 100);
    const digests = record(bytes, mib);
    for (const [at, good] of [
      [0, 0],
      [mib, 1],
      [2 * mib - 1, 1],
      [3 * mib + 99, 3],
    ] as const) {
      const other = Buffer.from(bytes);
      other[at]! ^= 1;
      const { passed, error } = await pass(other, digests);
      expect(error).toMatchObject({ code: 'damaged', reason: 'changed' });
      expect(passed.equals(bytes.subarray(0, good * mib))).toBe(true);
    }
  });

  test('that is shorter or longer never looks complete', async () => {
    const bytes = randomBytes(2 * mib + 7);
    const digests = record(bytes, mib);
    for (const other of [
      bytes.subarray(0, -1),
      bytes.subarray(0, 2 * mib),
      bytes.subarray(0, mib),
      Buffer.alloc(0),
    ])
      expect(await pass(other, digests)).toMatchObject({ error: { reason: 'changed' } });
    const longer = await pass(Buffer.concat([bytes, Buffer.alloc(1)]), digests);
    expect(longer).toMatchObject({ error: { reason: 'changed' } });
    expect(longer.passed.length).toBe(2 * mib);
    const whole = randomBytes(2 * mib);
    const twice = await pass(Buffer.concat([whole, whole]), record(whole, mib));
    expect(twice).toMatchObject({ error: { reason: 'changed' } });
  });

  test('that fails at its end does not get its last block through', async () => {
    const bytes = randomBytes(mib + 5);
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes;
      throw new Error('its SHA-256 is another');
    };
    let passed = 0;
    const all = async (): Promise<void> => {
      for await (const block of vetted(failing(), record(bytes, mib))) passed += block.length;
    };
    await expect(all()).rejects.toThrow('its SHA-256');
    expect(passed).toBe(mib);
  });
});
