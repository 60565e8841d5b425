import { ByteSink, fits, integerOf } from './byte-sink.ts';
import type { Style } from './style.ts';

/**
 * Text that is kept as an integer where it can be, as servers do; a style may leave it text. A bigint is one for sure, and a
 * number one in its shortest form.
 */
export type Entry = Uint8Array | bigint | number;

/** Total bytes, number of entries (65535: not known), entries, end. Each entry is followed by its length, backwards. */
export function listpack(entries: readonly Entry[], style: Style): Buffer {
  const body = new ByteSink();
  for (const entry of entries) {
    const from = body.length;
    listpackEntry(body, entry, style);
    backLength(body, body.length - from);
  }
  const count = style.pick(8) === 7 ? 0xffff : Math.min(entries.length, 0xffff);
  return new ByteSink()
    .integer(body.length + 7, 4)
    .integer(count, 2)
    .bytes(body.take())
    .byte(0xff)
    .take();
}

function listpackEntry(out: ByteSink, entry: Entry, style: Style): void {
  const value = typeof entry === 'object' ? integerOf(entry) : BigInt(entry);
  if (value === undefined || (typeof entry === 'object' && style.pick(4) === 3))
    return listpackText(out, bytesOf(entry), style);
  const forms: (() => unknown)[] = [];
  if (value >= 0n && value <= 127n) forms.push(() => out.integer(value, 1));
  if (fits(value, 13))
    forms.push(() => out.integer(0xc000n | (BigInt.asUintN(13, value) & 0x1fffn), 2, 'big'));
  if (fits(value, 16)) forms.push(() => out.byte(0xf1).integer(value, 2));
  if (fits(value, 24)) forms.push(() => out.byte(0xf2).integer(value, 3));
  if (fits(value, 32)) forms.push(() => out.byte(0xf3).integer(value, 4));
  forms.push(() => out.byte(0xf4).integer(value, 8));
  forms[typeof entry === 'number' ? 0 : style.pick(forms.length)]?.();
}

function bytesOf(entry: Entry): Uint8Array {
  return typeof entry === 'object' ? entry : Buffer.from(String(entry));
}

function listpackText(out: ByteSink, text: Uint8Array, style: Style): void {
  const { length } = text;
  const forms: (() => unknown)[] = [];
  if (length < 64) forms.push(() => out.byte(0x80 | length));
  if (length < 4096) forms.push(() => out.byte(0xe0 | (length >> 8), length & 0xff));
  forms.push(() => out.byte(0xf0).integer(length, 4));
  forms[style.pick(forms.length)]?.();
  out.bytes(text);
}

/** Servers take one byte more where the length is exactly the most that two, three or four could hold. */
const backLimits = [127, 16_382, 2_097_150, 268_435_454];

/** 7 bits a byte; it is read from its end, so all but the first have the high bit: there is more. */
function backLength(out: ByteSink, length: number): void {
  const bytes = 1 + backLimits.filter((limit) => length > limit).length;
  for (let at = bytes - 1; at >= 0; at--)
    out.byte(((length >> (7 * at)) & 127) | (at === bytes - 1 ? 0 : 128));
}

/** Total bytes, offset of the last entry, number of entries (65535: not known), entries with the length before. */
export function ziplist(entries: readonly Uint8Array[], style: Style): Buffer {
  const body = new ByteSink();
  let previous = 0;
  let last = 0;
  for (const entry of entries) {
    last = body.length;
    if (previous < 254 && style.pick(6) !== 5) body.byte(previous);
    else body.byte(254).integer(previous, 4);
    ziplistEntry(body, entry, style);
    previous = body.length - last;
  }
  const count = style.pick(8) === 7 ? 0xffff : Math.min(entries.length, 0xffff);
  const head = new ByteSink().integer(body.length + 11, 4).integer(10 + last, 4);
  return head.integer(count, 2).bytes(body.take()).byte(0xff).take();
}

function ziplistEntry(out: ByteSink, entry: Uint8Array, style: Style): void {
  const value = entry.length < 32 ? integerOf(entry) : undefined;
  if (value === undefined || style.pick(4) === 3) return ziplistText(out, entry, style);
  const forms: (() => unknown)[] = [];
  if (value >= 0n && value <= 12n) forms.push(() => out.byte(0xf1 + Number(value)));
  if (fits(value, 8)) forms.push(() => out.byte(0xfe).integer(value, 1));
  if (fits(value, 16)) forms.push(() => out.byte(0xc0).integer(value, 2));
  if (fits(value, 24)) forms.push(() => out.byte(0xf0).integer(value, 3));
  if (fits(value, 32)) forms.push(() => out.byte(0xd0).integer(value, 4));
  forms.push(() => out.byte(0xe0).integer(value, 8));
  forms[style.pick(forms.length)]?.();
}

function ziplistText(out: ByteSink, text: Uint8Array, style: Style): void {
  const { length } = text;
  const forms: (() => unknown)[] = [];
  if (length < 64) forms.push(() => out.byte(length));
  if (length < 16_384) forms.push(() => out.byte(0x40 | (length >> 8), length & 0xff));
  forms.push(() => out.byte(0x80).integer(length, 4, 'big'));
  forms[style.pick(forms.length)]?.();
  out.bytes(text);
}

/** Bytes per number, how many, and the numbers in ascending order. */
export function intset(values: readonly bigint[], style: Style): Buffer {
  const widths = [2, 4, 8].filter((width) => values.every((value) => fits(value, 8 * width)));
  const width = widths[style.pick(widths.length)] ?? 8;
  const out = new ByteSink().integer(width, 4).integer(values.length, 4);
  for (const value of values.toSorted((a, b) => (a < b ? -1 : 1))) out.integer(value, width);
  return out.take();
}

/** Number of pairs (254: not known), then keys and values with a length each, values with unused bytes behind. */
export function zipmap(entries: readonly Uint8Array[], style: Style): Buffer {
  const out = new ByteSink().byte(Math.min(entries.length / 2, 254));
  // Servers take only the shorter length form where there is a choice.
  const length = (bytes: number): void => {
    if (bytes < 254) out.byte(bytes);
    else out.byte(254).integer(bytes, 4);
  };
  for (const [index, entry] of entries.entries()) {
    length(entry.length);
    if (index % 2 === 0) {
      out.bytes(entry);
    } else {
      const unused = style.pick(5);
      out.byte(unused).bytes(entry).bytes(new Uint8Array(unused));
    }
  }
  return out.byte(0xff).take();
}
