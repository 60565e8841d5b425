import { describe, expect, test } from 'vitest';
import { mostParts, partPlan, sendParts, type SendPart } from '../../../../src/backup/store/send-parts.ts';
import { inChunksOf } from '../../../support/data/chunks.ts';

const never = new AbortController().signal;
const mebibyte = 1024 * 1024;
/** Parts of four bytes, two at a time. */
const tiny = { bytes: 4, lanes: 2 };

/** Keeps a copy of every part, and the buffers that they came in. */
function collector(): { send: SendPart; parts: Buffer[]; buffers: Set<ArrayBufferLike>; most: () => number } {
  const parts: Buffer[] = [];
  const buffers = new Set<ArrayBufferLike>();
  let underWay = 0;
  let most = 0;
  return {
    parts,
    buffers,
    most: () => most,
    async send(number, body) {
      buffers.add(body.buffer);
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      // Copied late: a buffer that is filled anew too early shows.
      parts[number - 1] = Buffer.from(body);
      underWay -= 1;
    },
  };
}

describe('sendParts', () => {
  test.each([
    [0, 0],
    [1, 0],
    [4, 0],
    [5, 2],
    [8, 2],
    [9, 3],
    [41, 11],
  ])('cuts %i bytes into %i parts', async (size, expected) => {
    const bytes = Buffer.from(Array.from({ length: size }, (_each, index) => index));
    for (const chunk of [1, 3, 4, 7, 64]) {
      const { send, parts } = collector();
      const sent = await sendParts(inChunksOf(bytes, chunk), never, send, tiny);
      expect({ bytes: sent.bytes, parts: sent.parts }).toEqual({ bytes: size, parts: expected });
      expect(Buffer.concat([...parts, ...(sent.only === undefined ? [] : [sent.only])])).toEqual(bytes);
    }
  });

  test('keeps to its lanes and recycles its buffers', async () => {
    const { send, buffers, most } = collector();
    await sendParts(inChunksOf(Buffer.alloc(400), 7), never, send, tiny);
    expect(most()).toBe(2);
    expect(buffers.size).toBe(2);
  });

  test('cuts the other parts off when one fails, and waits for them', async () => {
    const failure = new Error('part 2');
    const ended: string[] = [];
    const send: SendPart = async (number, _body, signal) => {
      if (number === 2) throw failure;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => setImmediate(resolve)));
      ended.push(`part ${number} ${signal.reason === failure}`);
    };
    const sending = sendParts(inChunksOf(Buffer.alloc(100), 10), never, send, { bytes: 4, lanes: 3 });
    await expect(sending).rejects.toMatchObject({ thrown: failure });
    expect(ended).toContain('part 1 true');
  });

  test('rejects with the failure of the last part', async () => {
    const failure = new Error('part 3');
    const send: SendPart = async (number) => {
      await new Promise(setImmediate);
      if (number === 3) throw failure;
    };
    await expect(sendParts(inChunksOf(Buffer.alloc(9), 9), never, send, tiny)).rejects.toBe(failure);
  });

  test('interrupts a silent producer when a part fails', async () => {
    const failure = new Error('part 1');
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(5);
      await new Promise(() => {});
    }
    const send: SendPart = async () => {
      await new Promise(setImmediate);
      throw failure;
    };
    await expect(sendParts(silent(), never, send, tiny)).rejects.toMatchObject({ thrown: failure });
  });
});

describe('partPlan', () => {
  test('is four parts of 16 MiB at a time for nearly every backup', () => {
    for (const expected of [undefined, 0, 1, 140 * 1024 * mebibyte])
      expect(partPlan(expected)).toEqual({ bytes: 16 * mebibyte, lanes: 4 });
  });

  test('is one size for all parts, with room for more than was expected', () => {
    for (const gibibytes of [141, 500, 1000, 4000]) {
      const expected = gibibytes * 1024 * mebibyte;
      const { bytes, lanes } = partPlan(expected);
      expect(bytes * mostParts).toBeGreaterThan(1.1 * expected);
      expect(bytes % mebibyte).toBe(0);
      expect(lanes).toBeGreaterThanOrEqual(1);
    }
  });

  test('is what was asked for, unless that is too small', () => {
    expect(partPlan(undefined, 5 * mebibyte)).toEqual({ bytes: 5 * mebibyte, lanes: 12 });
    expect(partPlan(100, 512 * mebibyte)).toEqual({ bytes: 512 * mebibyte, lanes: 1 });
    expect(partPlan(140 * 1024 * mebibyte, 5 * mebibyte)).toEqual({ bytes: 16 * mebibyte, lanes: 4 });
  });
});
