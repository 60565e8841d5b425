import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CommandWriter, encodedArgument } from '../../../../src/redis/pipe/command-writer.ts';

function encode(args: (Uint8Array | number)[]): string {
  const parts = args.map((arg) =>
    typeof arg === 'number' ? String(arg) : Buffer.from(arg).toString('latin1'),
  );
  return `*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('')}`;
}

const argument = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    0,
    9,
    10,
    99,
    100,
    999_999_999_999_999,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    2 ** 31 - 1,
    2 ** 31,
  ),
);

test('writes commands as the protocol has them, through blocks that are used again', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(argument, { minLength: 1, maxLength: 8 }), { maxLength: 20 }),
      (commands) => {
        const writer = new CommandWriter();
        for (let round = 0; round < 3; round++) {
          for (const args of commands) {
            const bound = args.reduce<number>(
              (sum, arg) => sum + (typeof arg === 'number' ? 0 : arg.length),
              0,
            );
            writer.start(args.length, bound);
            for (const arg of args) {
              if (typeof arg === 'number') writer.integer(arg);
              else writer.argument(arg);
            }
          }
          const blocks = writer.take(true);
          expect(Buffer.concat(blocks).toString('latin1')).toBe(commands.map(encode).join(''));
          for (const block of blocks) writer.release(block);
        }
      },
    ),
  );
});

test('a command larger than a block has a block of its own', () => {
  const writer = new CommandWriter();
  const large = Buffer.alloc(1024 * 1024, 'x');
  for (const arg of [Buffer.from('a'), large, Buffer.from('b')]) {
    writer.start(2, arg.length + 10);
    writer.literal(encodedArgument('ECHO'));
    writer.argument(arg);
  }
  expect(writer.hasFull).toBe(true);
  const text = Buffer.concat(writer.take(true)).toString('latin1');
  expect(text).toBe(
    [Buffer.from('a'), large, Buffer.from('b')].map((arg) => encode([Buffer.from('ECHO'), arg])).join(''),
  );
});

test('a long argument goes over as many blocks as it takes, and what follows it too', () => {
  const writer = new CommandWriter();
  const blockBytes = writer.bytes.length;
  for (const length of [0, 1, blockBytes - 40, blockBytes - 20, blockBytes, 3 * blockBytes + 1]) {
    const [before, value] = [Buffer.alloc(100, 'a'), Buffer.alloc(length, 'x')];
    writer.start(1, before.length);
    writer.argument(before);
    const first = writer.written;
    writer.start(4, 4);
    writer.literal(encodedArgument('SET'));
    writer.long(value);
    writer.literal(encodedArgument('PXAT'));
    writer.integer(4_102_444_800_123);
    const second = writer.written;
    const blocks = writer.take(true);
    const text = Buffer.concat(blocks).toString('latin1');
    expect(text).toBe(
      encode([before]) + encode([Buffer.from('SET'), value, Buffer.from('PXAT'), 4_102_444_800_123]),
    );
    expect([first, first + second]).toEqual([encode([before]).length, text.length]);
    for (const block of blocks) {
      expect(block.length).toBeLessThanOrEqual(blockBytes);
      writer.release(block);
    }
  }
});
