import { trailerOf } from './rdb-writer.ts';
import { randomNumbers } from './style.ts';

export interface Input {
  bytes: Buffer;
  /** Where records and their values begin, as far as that is known: most of the structure is near. */
  marks: readonly number[];
}

const longest = 64 * 1024;

/** Length fields of every form with values that lie, opcodes, heads of packed values, LZF control bytes. */
const words: readonly Buffer[] = [
  '00 01 3f 40 7f 80 81 bf c0 c1 c2 c3 c4 e0 f0 f1 f2 f3 f4 fe ff 7fff 4000 80ffffffff 8000000000 8000010000',
  '81ffffffffffffffff 817fffffffffffffff 810020000000000000 811fffffffffffffff 810000000000000001',
  '810000000100000000 c30180ffffffff c301810000010000000000 c3020a0061 c3400180400000 e0ff00 2000 ffffffff',
  '00000000 07000000 0b000000 0000ff ffff 0000 feffffffff ffffffffffffffff 0000000000000080 f3ffffff7f',
].flatMap((line) => line.split(' ').map((word) => Buffer.from(word, 'hex')));

const types = [0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25];

type Random = (below: number) => number;

/** Another input by up to five changes; the same for the same seed. Its checksum is made right, or zero, or left. */
export function mutate(input: Input, other: Input, seed: number): Buffer {
  const numbers = randomNumbers(seed);
  const random: Random = (below) => Math.floor(numbers() * below);
  let bytes: Buffer = Buffer.from(input.bytes.subarray(0, Math.max(0, input.bytes.length - 9)));
  for (let times = 1 + random(5); times > 0; times--) bytes = change(bytes, input, other, random);
  bytes = Buffer.concat([bytes.subarray(0, longest), Buffer.of(0xff)]);
  const trailing = random(20);
  if (trailing === 0) return bytes;
  return Buffer.concat([bytes, trailerOf(bytes, trailing > 10)]);
}

function change(bytes: Buffer, input: Input, other: Input, random: Random): Buffer {
  const at = place(bytes, input.marks, random);
  const cut = (length: number, put: Uint8Array): Buffer =>
    Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + length)]);
  const word = words[random(words.length)] ?? Buffer.of(0);
  switch (random(11)) {
    case 0:
      return cut(1, Buffer.of(random(256)));
    case 1:
      return cut(1, Buffer.of((bytes[at] ?? 0) ^ (1 << random(8))));
    case 2:
      return cut(1, Buffer.of((bytes[at] ?? 0) + (random(2) === 0 ? 1 : 255)));
    case 3:
      return cut(word.length, word);
    case 4:
      return cut(0, word);
    case 5:
      return cut(1 + random(8), Buffer.alloc(0));
    case 6:
      return bytes.subarray(0, at);
    case 7: {
      const length = 1 + random(40);
      return cut(0, bytes.subarray(at, at + length));
    }
    case 8:
      return cut(1, Buffer.of(random(3) === 0 ? 243 + random(13) : (types[random(types.length)] ?? 0)));
    case 9: {
      const from = place(other.bytes, other.marks, random);
      return cut(random(60), other.bytes.subarray(from, from + 1 + random(120)));
    }
    default: {
      const [from, to] = section(other, random);
      return cut(0, other.bytes.subarray(from, to));
    }
  }
}

/** Mostly near a mark: behind it are heads and lengths, before it is the last entry of the value before. */
function place(bytes: Buffer, marks: readonly number[], random: Random): number {
  const mark = marks[random(marks.length)];
  if (mark === undefined || random(4) === 0) return random(bytes.length + 1);
  const far = [random(12), random(64), -random(14)][random(3)] ?? 0;
  return Math.max(0, Math.min(bytes.length, mark + far));
}

/** A record, or more of them. */
function section({ bytes, marks }: Input, random: Random): [number, number] {
  const from = random(marks.length);
  return [marks[from] ?? 9, marks[from + 1 + random(4)] ?? Math.max(9, bytes.length - 9)];
}
