import { code, moduleOf, op, type Code } from './wasm-assembler.ts';

/**
 * CRC64 by folding with a sparse multiple of the polynomial.
 *
 * x^(128·2015) + x^(128·1965) + … + x^(128·124) + 1 is a multiple of the Jones polynomial (the test checks it by
 * arithmetic). So a 16-byte block may be added (XORed) to the blocks 50, 1252 … 2015 places further on and then be
 * dropped without changing the remainder. Written as a gather, with m the message and m' its folded form:
 *
 *   m'[i] = m[i] ^ m'[i-50] ^ m'[i-1252] ^ … ^ m'[i-2015]
 *
 * which needs no tables and no carry-less multiplication: seven XORs for 16 bytes. What is left at the end are 2015
 * blocks, 32 KiB, that a table reduces.
 */
export const exponents = [0, 124, 298, 512, 729, 763, 1965, 2015] as const;

const blockBytes = 16;
const degree = 2015;
const distances = exponents.filter((exponent) => exponent !== degree).map((exponent) => degree - exponent);
const segmentBlocks = 2048;
const historyBytes = degree * blockBytes;
const regionBytes = historyBytes + segmentBlocks * blockBytes;

/** How many bytes are folded at once. */
export const segmentBytes = segmentBlocks * blockBytes;

/** The parts of WebAssembly that are used here; Node's types leave it to the DOM's. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => {
    exports: { memory: { buffer: ArrayBuffer }; fold: (this: void) => void };
  };
  validate(bytes: Uint8Array): boolean;
};

/** Memory: 2015 blocks of m' (the history), then a segment of m that `fold` turns into m' in place. */
function assemble(): Uint8Array {
  const blocksPerTurn = 8; // 50, the shortest distance, is the limit
  const position = 0; // local: the address of m'[i - 2015]
  const pull = (offset: number): Code => code(op.localGet(position), op.v128Load(offset));
  const fold = (turn: number): Code => {
    const here = turn * blockBytes;
    const gather = distances.map((distance) =>
      code(pull(here + historyBytes - distance * blockBytes), op.v128Xor),
    );
    return code(
      op.localGet(position),
      pull(here + historyBytes),
      ...gather,
      op.v128Store(here + historyBytes),
    );
  };
  return moduleOf({
    pages: Math.ceil(regionBytes / 65_536),
    function: 'fold',
    locals: 1,
    body: code(
      op.loop(
        ...Array.from({ length: blocksPerTurn }, (_, turn) => fold(turn)),
        code(
          op.localGet(position),
          op.i32Const(blocksPerTurn * blockBytes),
          op.i32Add,
          op.localTee(position),
        ),
        code(op.i32Const(segmentBytes), op.i32LtU, op.branchIf(0)),
      ),
      // the last 2015 blocks become the history of the next segment
      code(op.i32Const(0), op.i32Const(segmentBytes), op.i32Const(historyBytes), op.memoryCopy),
    ),
  });
}

let compiled: object | null | undefined;

/** The compiled kernel; null where the machine has no 128-bit vectors. Constant, so it is made once. */
function kernel(): object | null {
  if (compiled !== undefined) return compiled;
  const bytes = typeof WebAssembly === 'undefined' ? undefined : assemble();
  compiled = bytes !== undefined && WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
  return compiled;
}

/** One running fold: fill `segment`, call `fold`, repeat; then reduce `residue()` with a table. */
export interface Folder {
  /** `segmentBytes` bytes to be overwritten with the message; `fold` consumes them. */
  segment: Uint8Array;
  fold(): void;
  /** 32 KiB with the same remainder as everything folded so far. A copy: folding may go on. */
  residue(): Uint8Array;
  /** Begins anew, over nothing. */
  reset(): void;
}

/** A new fold over nothing, or undefined where this machine cannot (no vectors, no address space). */
export function createFolder(): Folder | undefined {
  const module = kernel();
  if (module === null) return undefined;
  let instance;
  try {
    instance = new WebAssembly.Instance(module);
  } catch {
    return undefined; // an address-space limit (ulimit -v) leaves no room for the memory's guard region
  }
  const { memory, fold } = instance.exports;
  return {
    segment: new Uint8Array(memory.buffer, historyBytes, segmentBytes),
    fold,
    residue: () => unfold(memory.buffer.slice(0, historyBytes)),
    reset: () => void new Uint8Array(memory.buffer, 0, historyBytes).fill(0),
  };
}

/**
 * m' of the last 2015 blocks holds contributions of one another, which only blocks before them may have made: takes
 * them back, from the last block to the first since each depends on earlier ones only.
 */
function unfold(history: ArrayBuffer): Uint8Array {
  const words = new Int32Array(history);
  for (let at = words.length - 1; at >= 0; at--) {
    for (const distance of distances) {
      const from = at - distance * 4;
      if (from >= 0) words[at]! ^= words[from]!;
    }
  }
  return new Uint8Array(history);
}
