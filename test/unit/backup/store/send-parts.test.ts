import { describe, expect, test } from 'vitest';
import { mostParts, partPlan, sendParts, type SendPart } from '../../../../src/backup/store/send-parts.ts';
import { inChunksOf } from '../../../support/data/chunks.ts';

const never = new AbortController().signal;
const mebibyte = 1024 * 1024;
/** Parts of four bytes, two at a time. */
const tiny = (): { bytes: number; lanes: number } => ({ bytes: 4, lanes: 2 });

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

  test('takes larger buffers when the plan grows', async () => {
    const { send, parts } = collector();
    const growing = (number: number): { bytes: number; lanes: number } => ({
      bytes: number < 3 ? 4 : 8,
      lanes: 2,
    });
    const bytes = Buffer.from(Array.from({ length: 30 }, (_each, index) => index));
    await sendParts(inChunksOf(bytes, 5), never, send, growing);
    expect(parts.map(({ length }) => length)).toEqual([4, 4, 8, 8, 6]);
    expect(Buffer.concat(parts)).toEqual(bytes);
  });

  test('cuts the other parts off when one fails, and waits for them', async () => {
    const failure = new Error('part 2');
    const ended: string[] = [];
    const send: SendPart = async (number, _body, signal) => {
      if (number === 2) throw failure;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => setImmediate(resolve)));
      ended.push(`part ${number} ${signal.reason === failure}`);
    };
    const sending = sendParts(inChunksOf(Buffer.alloc(100), 10), never, send, () => ({ bytes: 4, lanes: 3 }));
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
    for (const number of [1, 2, 2500]) expect(partPlan(number)).toEqual({ bytes: 16 * mebibyte, lanes: 4 });
  });

  test('needs no more parts than S3 allows for 580 GiB, in at most 128 MiB', () => {
    let total = 0;
    for (let number = 1; number <= mostParts; number += 1) {
      const { bytes, lanes } = partPlan(number);
      expect(bytes * lanes).toBeLessThanOrEqual(128 * mebibyte);
      total += bytes;
    }
    expect(total).toBeGreaterThan(580 * 1024 * mebibyte);
  });
});
