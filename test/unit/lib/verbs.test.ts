import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { answerVerbs, type Verbs } from '../../../src/lib/verbs/answer.ts';
import { VerbCaller, VerbsClosedError } from '../../../src/lib/verbs/call.ts';
import { encodeFrame, readFrames, type Frame } from '../../../src/lib/verbs/frames.ts';
import { inChunksOf } from '../../support/data/chunks.ts';

const limits = { head: 1000, bytes: 1000 };

async function framesOf(stream: AsyncIterable<Uint8Array>): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of readFrames(stream, limits)) frames.push(frame);
  return frames;
}

const bytesOf = (frame: Frame): Buffer => Buffer.concat(encodeFrame(frame));

test('messages come out as they went in, however the stream is cut', async () => {
  const frame = fc.record({
    head: fc.jsonValue({ maxDepth: 2 }).map((value) => ({ value: JSON.stringify(value).slice(0, 200) })),
    bytes: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { maxLength: 5 }),
      fc.integer({ min: 1, max: 50 }),
      async (frames, size) => {
        const read = await framesOf(inChunksOf(Buffer.concat(frames.map(bytesOf)), size));
        expect(read.map(({ head }) => head)).toEqual(frames.map(({ head }) => head));
        expect(read.map(({ bytes }) => bytes && [...bytes])).toEqual(
          frames.map(({ bytes }) => bytes && [...bytes]),
        );
      },
    ),
  );
});

test('a stream that ends within a message is no end', async () => {
  const whole = bytesOf({ head: { id: 1 }, bytes: Buffer.from('abc') });
  for (let length = 1; length < whole.length; length++)
    await expect(framesOf(inChunksOf(whole.subarray(0, length), 4))).rejects.toThrow('ends within a message');
});

test.each([
  ['a head', bytesOf({ head: 'x'.repeat(1000), bytes: undefined })],
  ['bytes', bytesOf({ head: 1, bytes: Buffer.alloc(1001) })],
])('%s longer than is read is refused before it is held', async (_, whole) => {
  // Of the long part nothing comes: whoever waited for it would wait for ever.
  await expect(framesOf(inChunksOf(whole.subarray(0, 16), 16))).rejects.toThrow('more than 1000');
});

/** A caller and who answers it, in one process. */
function connected(verbs: Verbs): { caller: VerbCaller; given: () => number } {
  const [there, back] = [new PassThrough(), new PassThrough()];
  let given = 0;
  const caller = new VerbCaller({ input: back, output: there }, limits, () => given++);
  void answerVerbs({ input: there, output: back }, limits, verbs).then(() => back.end());
  return { caller, given: () => given };
}

const asked = 10_000;

test('values, bytes and nothing come back; what takes long holds nothing up', async () => {
  const late = Promise.withResolvers<string>();
  const { caller } = connected({
    add: (one: number, other: number) => one + other,
    twice: (bytes: Uint8Array) => Buffer.concat([bytes, bytes]),
    nothing: () => undefined,
    late: () => late.promise,
  });
  const waiting = caller.call('late', [], asked);
  expect(await caller.call('add', [1, 2], asked)).toBe(3);
  expect(await caller.call('twice', [Buffer.from('ab')], asked)).toEqual(Buffer.from('abab'));
  expect(await caller.call('nothing', [], asked)).toBeUndefined();
  late.resolve('at last');
  expect(await waiting).toBe('at last');
});

test('what is thrown there is thrown here, and cannot write on a terminal', async () => {
  const { caller } = connected({
    refuse() {
      throw new AgentError('refused', 'no: \u001B[2J', { reason: 'place', hint: 'go\u0007away' });
    },
    system() {
      throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    },
  });
  await expect(caller.call('refuse', [], asked)).rejects.toMatchObject({
    name: 'AgentError',
    code: 'refused',
    message: 'no: \\x1b[2J',
    reason: 'place',
    hint: 'go\\x07away',
  });
  await expect(caller.call('system', [], asked)).rejects.toMatchObject({ code: 'EACCES' });
  await expect(caller.call('constructor', [], asked)).rejects.toThrow('nobody here knows constructor');
});

test.each<[string, () => Uint8Array[], string]>([
  [
    'answers what was not asked',
    () => encodeFrame({ head: { id: 7, value: 1 }, bytes: undefined }),
    'nothing that was asked',
  ],
  ['answers null', () => encodeFrame({ head: null, bytes: undefined }), 'nothing that was asked'],
  ['says no JSON', () => [Buffer.from([0, 0, 0, 1, 255, 255, 255, 255, 33])], 'JSON'],
  ['says that much is to come', () => [Buffer.alloc(8, 0xfe)], 'more than 1000'],
  ['ends', () => [], 'it has ended'],
])('who %s is given up, and nobody waits', async (_, said, why) => {
  const output = new PassThrough();
  let given = 0;
  const caller = new VerbCaller({ input: Readable.from(said()), output }, limits, () => given++);
  await expect(caller.call('anything', [], asked)).rejects.toThrow(why);
  await expect(caller.call('more', [], asked)).rejects.toBeInstanceOf(VerbsClosedError);
  expect({ given, closed: caller.closed }).toEqual({ given: 1, closed: true });
});

test('who is silent is given up after the time', async () => {
  const { caller, given } = connected({ never: () => new Promise(() => {}) });
  await expect(caller.call('never', [], 20)).rejects.toThrow('no answer to never within 0.02 s');
  expect(given()).toBe(1);
});
