import { expect, test } from 'vitest';
import { withoutMarker } from '../../../../src/formats/rdb/without-marker.ts';

const dump = Buffer.from('REDIS0011 and something more than forty bytes, to its end \xff12345678', 'latin1');
const marker = Buffer.from('0123456789abcdef0123456789abcdef01234567');

/** In chunks whose memory is used again, as readers of files do. */
async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  const memory = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) {
    const length = bytes.copy(memory, 0, at, at + size);
    yield memory.subarray(0, length);
    memory.fill(0);
  }
}

async function passed(bytes: Buffer, size: number): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of withoutMarker(inChunks(bytes, size))) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts).toString('latin1');
}

const sizes = [1, 7, 39, 40, 41, 60, 1000];

test.each(sizes)('takes the marker off, in chunks of %i bytes', async (size) => {
  expect(await passed(Buffer.concat([dump, marker]), size)).toBe(dump.toString('latin1'));
});

test.each(sizes)('leaves everything else alone, in chunks of %i bytes', async (size) => {
  for (const bytes of [dump, Buffer.concat([dump, marker, Buffer.from('x')]), dump.subarray(0, 20)])
    expect(await passed(bytes, size)).toBe(bytes.toString('latin1'));
});
