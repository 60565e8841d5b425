import { randomBytes } from 'node:crypto';
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../../src/domain/errors.ts';
import { decompressZstd } from '../../../../src/formats/zstd/decompress.ts';
import { collect, inChunksOf } from '../../../support/data/chunks.ts';

const never = new AbortController().signal;
const withChecksum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

function decode(stored: Uint8Array, chunk = 65_536): Promise<Buffer> {
  return collect(decompressZstd(inChunksOf(stored, chunk), { signal: never }));
}

/** `decoded`, `decoded to something else` or `damaged: …`. */
async function outcome(stored: Uint8Array, plain?: Uint8Array): Promise<string> {
  try {
    const decoded = await decode(stored);
    return plain === undefined || decoded.equals(plain) ? 'decoded' : 'decoded to something else';
  } catch (error) {
    return error instanceof AgentError ? `${error.code}: ${error.message}` : String(error);
  }
}

function frame(plain: Uint8Array): Buffer {
  return zstdCompressSync(plain, withChecksum);
}

/** A frame that does not say how long its content is, as a pipe into zstd makes it. */
async function frameOfUnknownLength(parts: Uint8Array[]): Promise<Buffer> {
  const encoder = createZstdCompress(withChecksum);
  const made = collect(encoder as AsyncIterable<Uint8Array>);
  for (const part of parts) encoder.write(part);
  encoder.end();
  return await made;
}

function skippable(content: Uint8Array): Buffer {
  const start = Buffer.alloc(8);
  start.writeUInt32LE(0x184d2a57);
  start.writeUInt32LE(content.length, 4);
  return Buffer.concat([start, content]);
}

describe('decompressZstd', () => {
  test('nothing is nothing, and an empty frame too', async () => {
    expect(await decode(Buffer.alloc(0))).toHaveLength(0);
    expect(await decode(frame(Buffer.alloc(0)))).toHaveLength(0);
  });

  test('decodes one frame of every size class and kind of block', async () => {
    for (const plain of [
      Buffer.from('x'),
      randomBytes(255),
      randomBytes(256),
      randomBytes(65_792),
      Buffer.alloc(300_000),
      Buffer.from('redis '.repeat(100_000)),
      Buffer.alloc(9 * 2 ** 20, 'longer than what is kept whole '),
    ]) {
      expect((await decode(frame(plain))).equals(plain), `${plain.length} bytes`).toBe(true);
    }
  });

  test('decodes concatenated, skippable and unbounded frames in order, in chunks of every size', async () => {
    const parts = [
      Buffer.from('first'),
      randomBytes(500),
      Buffer.from('third'.repeat(50)),
      Buffer.from('last'),
    ];
    const stored = Buffer.concat([
      skippable(randomBytes(30)),
      frame(parts[0]!),
      frame(parts[1]!),
      await frameOfUnknownLength([parts[2]!]),
      skippable(Buffer.alloc(0)),
      frame(parts[3]!),
    ]);
    const plain = Buffer.concat(parts);
    for (let chunk = 1; chunk <= 40; chunk++) {
      expect((await decode(stored, chunk)).equals(plain), `chunks of ${chunk}`).toBe(true);
    }
    expect((await decode(stored, stored.length)).equals(plain)).toBe(true);
  });

  test('finds truncation at every byte, and says where', async () => {
    const first = frame(Buffer.from('a first frame'));
    const second = await frameOfUnknownLength([Buffer.from('second')]);
    const stored = Buffer.concat([first, second, skippable(first)]);
    // Where a frame has just ended nothing is missing, as far as zstd goes: who knows the length finds these.
    const ends = [0, first.length, first.length + second.length];
    for (let length = 0; length < stored.length; length++) {
      const start = ends.findLast((end) => end <= length);
      const expected = ends.includes(length)
        ? 'decoded'
        : `damaged: it ends at byte ${length}, inside the zstd frame that starts at byte ${start}`;
      expect(await outcome(stored.subarray(0, length))).toBe(expected);
    }
  });

  test('finds every flipped byte of a frame, or decodes it to the same', async () => {
    const plain = Buffer.concat([Buffer.from('some text, some text, '.repeat(20)), randomBytes(40)]);
    const harmless: number[] = [];
    const wrong: string[] = [];
    for (const stored of [frame(plain), await frameOfUnknownLength([plain])]) {
      for (let at = 0; at < stored.length; at++) {
        for (const mask of [0x01, 0x10, 0x80, 0xff]) {
          const flipped = Buffer.from(stored);
          flipped[at]! ^= mask;
          const found = await outcome(flipped, plain);
          if (found === 'decoded') harmless.push(at);
          else wrong.push(...(found.startsWith('damaged: ') ? [] : [`byte ${at}: ${found}`]));
        }
      }
    }
    expect(wrong).toEqual([]);
    // An unused bit of the descriptor and the window's size may differ without a difference in the content.
    expect(harmless.every((at) => at === 4 || at === 5)).toBe(true);
  });

  test('refuses garbage after a frame and files that are no zstd, with the offset', async () => {
    const stored = frame(Buffer.from('sound'));
    await expect(decode(Buffer.concat([stored, Buffer.from('garbage')]))).rejects.toThrow(
      `byte ${stored.length}: no zstd frame starts here`,
    );
    await expect(decode(Buffer.from('REDIS0010 and so on'))).rejects.toThrow('byte 0: this is no zstd file');
  });

  test('refuses a frame that would need too much memory', async () => {
    // no content size, window descriptor 0xff: 3.75 TiB
    const stored = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0x00, 0x00]);
    await expect(decode(stored)).rejects.toThrow('bytes of memory');
  });

  test('an abort ends it with its reason, and the source is released', async () => {
    for (const one of [frame(randomBytes(100_000)), await frameOfUnknownLength([randomBytes(3_000_000)])]) {
      const stored = Buffer.concat(Array.from({ length: 20 }, () => one));
      const abort = new AbortController();
      const reason = new Error('enough');
      let released = false;
      const source = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* inChunksOf(stored, 50_000);
        } finally {
          released = true;
        }
      };
      let chunks = 0;
      const run = async (): Promise<void> => {
        for await (const _ of decompressZstd(source(), { signal: abort.signal })) {
          if (++chunks === 2) abort.abort(reason);
        }
      };
      await expect(run()).rejects.toBe(reason);
      expect(released).toBe(true);
    }
  });

  test('passes on what its source throws', async () => {
    const lost = new AgentError('repository', 'connection lost');
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield* inChunksOf(await frameOfUnknownLength([randomBytes(300_000)]), 100_000);
      yield frame(randomBytes(100)).subarray(0, 20);
      throw lost;
    };
    await expect(collect(decompressZstd(source(), { signal: never }))).rejects.toBe(lost);
  });
});
