/**
 * The few WebAssembly instructions and sections that the kernels here need, as byte lists. Names are those of the
 * WebAssembly 2.0 specification (binary format, chapter 5), which also explains every number here.
 */
export type Code = readonly number[];

/** Concatenates code: instructions are byte lists, so a program is their sequence. */
export function code(...parts: readonly Code[]): Code {
  return parts.flat();
}

/** Unsigned LEB128, for indices, lengths and memory offsets. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** Signed LEB128, for constants. */
function signed(value: number): Code {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    if (rest >= -0x40 && rest < 0x40) return [...bytes, rest & 0x7f];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** Operands of a load or store: alignment as a power of two (a promise for speed only) and a constant offset. */
const at = (align: number, offset: number): Code => code([align], unsigned(offset));
const simd = (opcode: number): Code => code([0xfd], unsigned(opcode));

/** Instructions, by their specified names. */
export const op = {
  localGet: (index: number) => code([0x20], unsigned(index)),
  localSet: (index: number) => code([0x21], unsigned(index)),
  localTee: (index: number) => code([0x22], unsigned(index)),
  i32Const: (value: number) => code([0x41], signed(value)),
  i32Eq: [0x46],
  i32Ne: [0x47],
  i32LtS: [0x48],
  i32LtU: [0x49],
  i32GtU: [0x4b],
  i32GeU: [0x4f],
  i32Add: [0x6a],
  i32Sub: [0x6b],
  i32And: [0x71],
  i32Shl: [0x74],
  i32ShrU: [0x76],
  i32Load8U: code([0x2d], at(0, 0)),
  i32WrapI64: [0xa7],
  i64Const: (value: number) => code([0x42], signed(value)),
  i64Xor: [0x85],
  i64ShrU: [0x88],
  i64Load: (offset: number) => code([0x29], at(0, offset)),
  i64Load8U: [0x31, 0x00, 0x00],
  i64Store: [0x37, 0x00, 0x00],
  return: [0x0f],
  branch: (depth: number) => code([0x0c], unsigned(depth)),
  branchIf: (depth: number) => code([0x0d], unsigned(depth)),
  /** What a branch out of it goes on behind. */
  block: (...body: Code[]) => code([0x02, 0x40], ...body, [0x0b]),
  /** A loop without parameters or results; `branchIf(0)` inside it repeats it. */
  loop: (...body: Code[]) => code([0x03, 0x40], ...body, [0x0b]),
  /** Where the value before it is not 0. */
  if: (...body: Code[]) => code([0x04, 0x40], ...body, [0x0b]),
  ifElse: (then: Code, otherwise: Code) => code([0x04, 0x40], then, [0x05], otherwise, [0x0b]),
  memoryCopy: [0xfc, 0x0a, 0x00, 0x00],
  v128Load: (offset: number) => code(simd(0x00), at(4, offset)),
  v128Store: (offset: number) => code(simd(0x0b), at(4, offset)),
  v128Xor: simd(0x51),
} satisfies Record<string, Code | ((...args: never[]) => Code)>;

const [i32, i64] = [0x7f, 0x7e];
const vector = (...items: Code[]): Code => code(unsigned(items.length), ...items);
const section = (id: number, content: Code): Code => code([id], unsigned(content.length), content);
const name = (text: string): Code => vector(...Array.from(text, (letter) => [letter.charCodeAt(0)]));

/**
 * A module that exports its own memory (`memory`, of `pages` 64 KiB pages, which cannot grow) and one function of
 * `parameters` numbers of type i32, with a result or none. It has `locals` more variables of that type and then `longs` of
 * type i64, which start as 0.
 */
export function moduleOf(options: {
  pages: number;
  function: string;
  parameters?: number;
  result?: boolean;
  locals: number;
  longs?: number;
  body: Code;
}): Uint8Array {
  const { parameters = 0, result = false, longs = 0 } = options;
  const body = code(vector([options.locals, i32], [longs, i64]), options.body, [0x0b]);
  const type = code(
    [0x60],
    vector(...Array.from({ length: parameters }, () => [i32])),
    result ? vector([i32]) : vector(),
  );
  return Uint8Array.from(
    code(
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(1, vector(type)),
      section(3, vector([0x00])),
      section(5, vector(code([0x01], unsigned(options.pages), unsigned(options.pages)))),
      section(7, vector(code(name('memory'), [0x02, 0x00]), code(name(options.function), [0x00, 0x00]))),
      section(10, vector(code(unsigned(body.length), body))),
    ),
  );
}
