import {
  CompressedStrings,
  longestString,
  mostGrowth,
  pieceBytes,
  roomBytes,
  type DumpParts,
} from './compressed-strings.ts';
import { Crc64 } from './crc64.ts';
import { createLzfKernel, overrun, type LzfKernel } from './lzf-kernel.ts';
import { LzfDecoder } from './lzf.ts';
import { opcode } from './opcode-reader.ts';

/** As much is handed on at once, or a little more. */
const handedOn = 512 * 1024;
/** What comes out before it is handed on: besides, of one piece and of the one string that was not whole before it. */
const outBytes = handedOn + mostGrowth * pieceBytes + longestString + 1024;
/** From here on copying natively is faster than byte by byte. */
const shortCopy = 64;
/** A length that is greater than any string here takes so many bytes at most. */
const longestLength = 5;

export interface ExpandOptions {
  /** Without WebAssembly: for cross checks. */
  portable?: boolean;
}

/** What a dump grows by when its compressed strings are expanded. */
export class Growth implements DumpParts {
  readonly #strings = new CompressedStrings(this);
  /** How many strings are expanded, and how many bytes longer the dump is then. */
  strings = 0;
  bytes = 0;

  /** Does not keep `chunk`. Throws an RdbError. */
  update(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += pieceBytes)
      this.#strings.update(chunk.subarray(at, at + pieceBytes));
  }

  other(): void {}

  compressed(_bytes: Uint8Array, from: number, to: number, plain: number, header: number): void {
    this.strings++;
    this.bytes += lengthBytes(plain) + plain - header - (to - from);
  }
}

/**
 * A dump that a server loads as the same data, and faster: its strings are not compressed any more, but for very long ones
 * and those that would become many times as long. Its end opcode and checksum come last, when `chunks` has come to a good
 * end. A chunk, coming or going, is valid until the next one is asked for. Throws an RdbError where it is damaged.
 */
export async function* expandDump(
  chunks: AsyncIterable<Uint8Array>,
  options: ExpandOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const plain = new PlainDump(options);
  const strings = new CompressedStrings(plain, plain.room);
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      strings.update(chunk.subarray(at, at + pieceBytes));
      if (plain.length >= handedOn) yield plain.take();
    }
  }
  yield plain.close(strings.finish());
}

/** Collects the bytes of the dump that comes out. */
class PlainDump implements DumpParts {
  readonly #bytes: Uint8Array;
  /** For the dump that comes in. */
  readonly room: Uint8Array;
  readonly #kernel: LzfKernel | undefined;
  readonly #decoder = new LzfDecoder();
  readonly #crc = new Crc64();
  length = 0;

  constructor({ portable = false }: ExpandOptions) {
    const total = outBytes + roomBytes + overrun;
    this.#kernel = portable ? undefined : createLzfKernel(total);
    const memory = this.#kernel?.memory ?? new ArrayBuffer(total);
    this.#bytes = new Uint8Array(memory, 0, outBytes);
    this.room = new Uint8Array(memory, outBytes, roomBytes);
  }

  other(bytes: Uint8Array, from: number, to: number): void {
    const [target, length] = [this.#bytes, this.length];
    if (to - from < shortCopy) for (let at = from, put = length; at < to; at++) target[put++] = bytes[at]!;
    else target.set(bytes.subarray(from, to), length);
    this.length = length + to - from;
  }

  compressed(bytes: Uint8Array, from: number, to: number, plain: number): void {
    const target = this.#bytes;
    const start = writeLength(target, this.length, plain);
    const end = start + plain;
    const failed = this.#kernel?.decode(outBytes + from, outBytes + to, start, end) ?? 1;
    // It says what is wrong, too.
    if (failed !== 0) this.#decoder.decode(bytes, from, to, target, start, end);
    this.length = end;
  }

  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.length);
    this.#crc.update(taken);
    this.length = 0;
    return taken;
  }

  /** What is left, and the end: with a checksum where the dump that came in had one. */
  close(trailer: Uint8Array): Uint8Array {
    this.#bytes[this.length++] = opcode.end;
    const { length } = this.take();
    if (trailer.some((byte) => byte !== 0)) this.#crc.write(this.#bytes, length);
    else this.#bytes.fill(0, length, length + trailer.length);
    return this.#bytes.subarray(0, length + trailer.length);
  }
}

function lengthBytes(length: number): number {
  return length < 0x40 ? 1 : length < 0x4000 ? 2 : longestLength;
}

/** Writes how long a string is that follows; returns where it begins. */
export function writeLength(target: Uint8Array, at: number, length: number): number {
  if (length < 0x40) target[at] = length;
  else if (length < 0x4000) {
    target[at] = 0x40 | (length >> 8);
    target[at + 1] = length;
  } else {
    target[at] = 0x80;
    target[at + 1] = length >> 24;
    target[at + 2] = length >> 16;
    target[at + 3] = length >> 8;
    target[at + 4] = length;
  }
  return at + lengthBytes(length);
}
