import { code, moduleOf, op, type Code } from './wasm-assembler.ts';

/** Bytes behind a string that decoding reads, and overwrites, beyond what it needs. */
export const overrun = 32;

/** The parts of WebAssembly that are used here; Node's types leave it to the DOM's. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: { memory: { buffer: ArrayBuffer }; decode: Decode } };
  validate(bytes: Uint8Array): boolean;
};

/**
 * Decompresses LZF (lzf.ts) from one place in `memory` to another; 0 where what is read to its end gives exactly what is to
 * be written. What it leaves is not to be used otherwise. Where the source is damaged it still keeps to its places, but
 * for the `overrun`.
 */
type Decode = (this: void, from: number, sourceEnd: number, to: number, targetEnd: number) => number;

export interface LzfKernel {
  memory: ArrayBuffer;
  decode: Decode;
}

const [from, sourceEnd, to, targetEnd] = [0, 1, 2, 3];
const [first, control, length, back, distance] = [4, 5, 6, 7, 8];

const get = op.localGet;
const add = (local: number, value: Code): Code => code(get(local), value, op.i32Add, op.localSet(local));
const one = op.i32Const(1);
/** Reads a byte and goes past it. */
const nextByte = code(get(from), op.i32Load8U, add(from, one));
/** Sixteen bytes, or so many of them as are right. */
const copy16 = (source: number, offset = 0): Code =>
  code(get(to), get(source), op.v128Load(offset), op.v128Store(offset));
/** Is `length` more than what is left? */
const exceeds = (end: number, place: number): Code =>
  code(get(length), get(end), get(place), op.i32Sub, op.i32GtU);

/** A run of 1 to 32 literal bytes: as many as `control` says, and one. Depths: 1 the next token, 2 the source is damaged. */
const literals = code(
  code(get(control), one, op.i32Add, op.localSet(length)),
  code(exceeds(sourceEnd, from), op.branchIf(2)),
  code(exceeds(targetEnd, to), op.branchIf(2)),
  copy16(from),
  code(get(control), op.i32Const(16), op.i32GeU, op.if(copy16(from, 16))),
  add(from, get(length)),
  add(to, get(length)),
  op.branch(1),
);

/** A copy of what is there. Where it begins among its last 15 bytes, what is there doubles with every turn. */
const copy = code(
  code(get(control), op.i32Const(5), op.i32ShrU, op.localTee(length), op.i32Const(7), op.i32Eq),
  op.if(add(length, nextByte)),
  add(length, op.i32Const(2)),
  code(get(to), one, op.i32Sub),
  code(get(control), op.i32Const(31), op.i32And, op.i32Const(8), op.i32Shl, op.i32Sub),
  code(nextByte, op.i32Sub, op.localTee(back)),
  code(get(first), op.i32LtS, op.branchIf(1)),
  code(get(from), get(sourceEnd), op.i32GtU, op.branchIf(1)),
  code(exceeds(targetEnd, to), op.branchIf(1)),
  add(length, get(to)),
  op.loop(
    copy16(back),
    code(get(to), get(back), op.i32Sub, op.localTee(distance), op.i32Const(16), op.i32LtU),
    op.ifElse(add(to, get(distance)), code(add(to, op.i32Const(16)), add(back, op.i32Const(16)))),
    code(get(to), get(length), op.i32LtU, op.branchIf(0)),
  ),
  code(get(length), op.localSet(to)),
  op.branch(0),
);

const program = code(
  code(get(to), op.localSet(first)),
  op.block(
    op.loop(
      code(get(from), get(sourceEnd), op.i32GeU),
      op.if(code(get(to), get(targetEnd), op.i32Ne, op.return)),
      code(nextByte, op.localTee(control), op.i32Const(32), op.i32LtU),
      op.if(literals),
      copy,
    ),
  ),
  one,
);

/** A kernel with a memory of so many bytes at least, or undefined where the machine has no 128-bit vectors or no room. */
export function createLzfKernel(bytes: number): LzfKernel | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const pages = Math.ceil(bytes / 65_536);
  const module = moduleOf({
    pages,
    function: 'decode',
    parameters: 4,
    result: true,
    locals: 5,
    body: program,
  });
  if (!WebAssembly.validate(module)) return undefined;
  try {
    const { memory, decode } = new WebAssembly.Instance(new WebAssembly.Module(module)).exports;
    return { memory: memory.buffer, decode };
  } catch {
    return undefined; // an address-space limit (ulimit -v) leaves no room for the memory's guard region
  }
}
