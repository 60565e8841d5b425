import { ByteSink } from './byte-sink.ts';

/** Starts to announce far more than comes: what follows is filler, over and over. */
export interface HostileFile {
  name: string;
  head: Buffer;
  filler: Buffer;
  /** How much of it. */
  fillerBytes: number;
}

const little = 256 * 1024;
const much = 6 * 1024 * 1024;

const zeros = Buffer.alloc(64 * 1024);
const ones = Buffer.alloc(64 * 1024, 1);
const noise = Buffer.from(Array.from({ length: 64 * 1024 }, (_, at) => (at * 7919) >> 3));
/** Literal `a`, then copies of 264 bytes: no data expands further. */
const bomb = Buffer.concat([Buffer.of(0, 0x61), Buffer.alloc(63 * 1024, Buffer.of(0xe0, 0xff, 0))]);

const lengths: readonly (readonly [string, Buffer])[] = [
  ['2^32-1', Buffer.from('80ffffffff', 'hex')],
  ['2^40', Buffer.from('810000010000000000', 'hex')],
  ['2^53-1', Buffer.from('81001fffffffffffff', 'hex')],
  ['2^62', Buffer.from('814000000000000000', 'hex')],
  ['2^63', Buffer.from('818000000000000000', 'hex')],
  ['2^64-1', Buffer.from('81ffffffffffffffff', 'hex')],
];

const start = (version: 'REDIS0012' | 'VALKEY080', ...parts: (Buffer | readonly number[])[]): Buffer =>
  Buffer.concat([Buffer.from(version), ...parts.map((part) => Buffer.from(part))]);

/** Every type and opcode with a count or a length that lies, and compressed strings that promise too much. */
export function hostileFiles(): HostileFile[] {
  const files: HostileFile[] = [];
  const add = (name: string, head: Buffer, filler: Buffer, fillerBytes = little): void =>
    void files.push({ name, head, filler, fillerBytes });
  for (const [size, length] of lengths) {
    for (const code of [0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23])
      add(
        `type ${code}, ${size}`,
        start('REDIS0012', [code, 1, 0x6b], length),
        code % 2 === 0 ? zeros : noise,
      );
    add(`type 24, ${size} fields`, start('REDIS0012', [24, 1, 0x6b], zeros.subarray(0, 8), length), zeros);
    add(`type 25, ${size} bytes`, start('REDIS0012', [25, 1, 0x6b], zeros.subarray(0, 8), length), noise);
    add(`Valkey's type 22, ${size}`, start('VALKEY080', [22, 1, 0x6b], length), zeros);
    add(`a key of ${size} bytes`, start('REDIS0012', [0], length), ones);
    for (const code of [243, 244, 245, 246, 247, 248, 250, 251, 254])
      add(`opcode ${code}, ${size}`, start('VALKEY080', [code], length), zeros);
    add(`${size} lists of ${size} elements`, start('REDIS0012', [14, 1, 0x6b], length, length), noise);
    add(`${size} groups`, start('REDIS0012', [21, 1, 0x6b, 0, 0, 0, 0, 0, 0, 0, 0, 0], length), zeros);
    add(
      `${size} pending`,
      start('REDIS0012', [21, 1, 0x6b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0x67, 0, 0, 0], length),
      noise,
    );
    for (const code of [0, 16, 10]) {
      add(
        `type ${code}, LZF of ${size} plain bytes`,
        start('REDIS0012', [code, 1, 0x6b, 0xc3, 0x80, 0, 0, 255, 0], length),
        bomb,
      );
      add(
        `type ${code}, LZF of ${size} stored bytes`,
        start('REDIS0012', [code, 1, 0x6b, 0xc3], length, length),
        bomb,
      );
    }
    add(
      `a key of LZF with ${size} plain bytes`,
      start('REDIS0012', [0, 0xc3, 0x80, 0, 0, 255, 0], length),
      bomb,
    );
  }
  // As large as is believed: 88 times what is stored, again and again.
  const most = new ByteSink().byte(0xc3, 0x80).integer(63 * 1024 + 2, 4, 'big');
  const stored = most
    .byte(0x80)
    .integer(1 + 21_504 * 264, 4, 'big')
    .bytes(bomb)
    .take();
  add('bombs as a list', start('REDIS0012', [1, 1, 0x6b], lengths[1]?.[1] ?? zeros), stored, much);
  add(
    'bombs as listpacks',
    start('REDIS0012', [18, 1, 0x6b], lengths[1]?.[1] ?? zeros),
    Buffer.concat([Buffer.of(2), stored]),
    much,
  );
  const listpack = Buffer.concat([
    new ByteSink()
      .integer(2 ** 32 - 1, 4)
      .integer(65_535, 2)
      .take(),
    ones,
  ]);
  add(
    'a listpack of 4 GiB',
    start('REDIS0012', [16, 1, 0x6b, 0x80, 0xff, 0xff, 0xff, 0xff], listpack),
    ones,
    much,
  );
  return files;
}
