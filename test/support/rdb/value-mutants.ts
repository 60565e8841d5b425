import * as fc from 'fast-check';
import type { Engine } from '../../../src/formats/rdb/rdb-version.ts';
import { typesOf, type ValueType } from '../../../src/formats/rdb/value-types.ts';
import { anyKey, typesIn } from './arbitraries.ts';
import { intset, listpack, ziplist, zipmap, type Entry } from './packed-writer.ts';
import { anyStyle, randomNumbers, type Style } from './style.ts';
import { ValueSink } from './value-sink.ts';
import { writeValue } from './value-writer.ts';

/** A value alone, as it is in a file of that engine. */
export interface LoneValue {
  type: ValueType;
  raw: Buffer;
}

type Pick = (below: number) => number;

const longest = 20_000;

/** Values that are right, of every type that both may have but those of modules; the same in every run. */
export function rightValues(engine: Engine, seed: number): LoneValue[] {
  const version = engine === 'redis' ? 12 : 80;
  const types = typesIn(engine, version).filter(({ data }) => data !== 'module' && data !== 'string');
  return types.flatMap((type) =>
    fc
      .sample(anyKey([type], version), { numRuns: 24, seed: seed + type.code })
      .map((key, at) => {
        const sink = new ValueSink(anyStyle(seed * 31 + at));
        writeValue(sink, type, key.contents);
        return { type, raw: sink.take() };
      })
      .filter(({ raw }) => raw.length < longest),
  );
}

/** Changes some bytes of a value and keeps its length, so that most of what holds it stays right. */
export function changed(values: readonly LoneValue[], seed: number): LoneValue {
  const random = randomNumbers(seed);
  const pick: Pick = (below) => Math.floor(random() * below);
  const { type, raw } = values[pick(values.length)]!;
  const bytes = Buffer.from(raw);
  for (let times = 1 + pick(2); times > 0; times--) {
    const at = pick(3) === 0 ? pick(Math.min(24, bytes.length)) : pick(bytes.length);
    const before = bytes[at] ?? 0;
    bytes[at] = [
      pick(256),
      before ^ (1 << pick(8)),
      before + 1,
      before + 255,
      [0, 1, 0x7f, 0x80, 0xfd, 0xfe, 0xff, 0xf0, 0xf4, 0x20, 0x30][pick(11)] ?? 0,
    ][pick(5)]!;
  }
  return { type, raw: bytes };
}

/** Parts of a number, and what some readers take for one: `_` stands for a blank. */
const texts = [
  '0 1 -1 00 01 -0 +1 _1 1_ 1.5 .5 5. 1e5 1e400 -1e400 0x10 0x1p3 inf -inf +inf Inf INFINITY infinity nan -nan NaN',
  '0b1 0o7 a b c aa 9223372036854775807 9223372036854775808 281474976710654 281474976710655 1e e5 0x 1,5 1f 1d --1',
  '4.9e-324 1e-400 179769313486231580793728971405301e277',
]
  .flatMap((line) => line.split(' ').map((word) => word.replace('_', ' ')))
  .concat('', '1_0', '\u{a0}1', '\t1', '1\n', '1\0')
  .map((text) => Buffer.from(text, 'latin1'));

/** Packed collections and streams that are put together of likely parts, by no rule. */
export function madeUp(engine: Engine, seed: number): LoneValue {
  const random = randomNumbers(seed);
  const pick: Pick = (below) => Math.floor(random() * below);
  const style = anyStyle(seed, 0.15);
  const codes = [
    3,
    9,
    10,
    11,
    12,
    13,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
    21,
    ...(engine === 'redis' ? [22, 23, 24, 25] : [22]),
  ];
  const code = codes[pick(codes.length)]!;
  const type = typesOf(engine)[code]!;
  return { type, raw: make(type, pick, style) };
}

function make(type: ValueType, pick: Pick, style: Style): Buffer {
  const sink = new ValueSink(style);
  const entries = (count: number): Buffer[] => Array.from({ length: count }, () => entryOf(pick));
  switch (type.layout) {
    case 'blob':
      return sink
        .string(packed(type, entries(type.entries * pick(4) + (pick(12) === 0 ? 1 : 0)), style))
        .take();
    case 'expiring-blob': {
      if (type.revision === 2) sink.time(pick(3));
      const triples = Array.from({ length: 1 + pick(4) }, () => [entryOf(pick), entryOf(pick), timeOf(pick)]);
      return sink.string(listpack(triples.flat(), style)).take();
    }
    case 'expiring-pairs':
      if (type.revision === 2) sink.time(pick(3) === 0 ? 2 ** 48 - 2 : pick(1000));
      return repeat(sink, pick(4), () =>
        sink
          .number(pick(3) * pick(1000))
          .string(entryOf(pick))
          .string(entryOf(pick)),
      );
    case 'pairs-expiring':
      return repeat(sink, pick(4), () =>
        sink
          .string(entryOf(pick))
          .string(entryOf(pick))
          .time(pick(4) - 2),
      );
    case 'scored-text':
      return repeat(sink, pick(4), () => {
        const score = entryOf(pick);
        sink.string(entryOf(pick));
        if (pick(6) === 0) sink.byte(253 + pick(3));
        else sink.byte(Math.min(score.length, 252)).bytes(score.subarray(0, 252));
      });
    case 'blobs':
      return repeat(sink, pick(4), () => sink.string(ziplist(entries(pick(4)), style)));
    case 'containers':
      return repeat(sink, pick(4), () => {
        const alone = pick(4) === 0;
        sink.number(alone ? 1 : pick(9) === 0 ? pick(4) : 2);
        sink.string(alone ? entryOf(pick) : listpack(entries(pick(4)), style));
      });
    case 'stream':
      return madeUpStream(sink, type.revision, pick, style);
    case 'string':
    case 'strings':
    case 'pairs':
    case 'scored':
    case 'module':
      break;
  }
  throw new Error(`type ${type.code} is not made up`);
}

function repeat(sink: ValueSink, times: number, add: () => unknown): Buffer {
  sink.number(times);
  for (let at = 0; at < times; at++) add();
  return sink.take();
}

function packed(type: ValueType, entries: Buffer[], style: Style): Buffer {
  if (type.packing === 'ziplist') return ziplist(entries, style);
  if (type.packing === 'zipmap') return zipmap(entries, style);
  if (type.packing === 'listpack') return listpack(entries, style);
  const numbers = entries.map((_, at) => BigInt(style.pick(3) === 0 ? at : style.pick(70_000)));
  return intset(numbers, style);
}

function entryOf(pick: Pick): Buffer {
  if (pick(3) === 0) return Buffer.from(String(pick(100_000)));
  if (pick(30) === 0) return Buffer.alloc(250 + pick(8), 'x');
  return texts[pick(texts.length)]!;
}

function timeOf(pick: Pick): Buffer {
  return pick(6) === 0 ? entryOf(pick) : Buffer.from(String([0, 1, 5, 5, 9, 1_900_000_000_000][pick(6)]));
}

const text = (part: string | number): Buffer => Buffer.from(String(part));

function idBytes(ms: number, seq: number): Buffer {
  const id = Buffer.alloc(16);
  id.writeBigUInt64BE(BigInt(ms));
  id.writeBigUInt64BE(BigInt(seq), 8);
  return id;
}

function madeUpStream(sink: ValueSink, revision: number, pick: Pick, style: Style): Buffer {
  const small = (): number => (pick(8) === 0 ? pick(7) : 0);
  const odd = (value: number): number => (pick(14) === 0 ? value + pick(3) - 1 : value);
  let [first, last, live] = [0, 0, 0];
  let ms = 1;
  repeat(sink, pick(3), () => {
    const base = pick(20) === 0 ? small() : ms;
    const parts: Entry[] = [];
    const count = pick(4) + (pick(5) === 0 ? 0 : 1);
    let gone = 0;
    for (let at = 0; at < count; at++, ms++) {
      const deleted = pick(4) === 0;
      if (deleted) gone++;
      else {
        first ||= ms;
        last = ms;
        live++;
      }
      const same = pick(3) > 0;
      const flags = (deleted ? 1 : 0) | (same ? 2 : 0) | (pick(40) === 0 ? 4 : 0);
      parts.push(pick(20) === 0 ? text(flags) : flags, text(odd(ms - base)), text(small()));
      if (same) parts.push(text('v'), text(odd(4)));
      else parts.push(text(1), text('g'), text('w'), text(odd(6)));
    }
    const head = [odd(count - gone), odd(gone), 1, 'f', odd(0) === 0 ? 0 : 1];
    const node = [...head.map(text), ...parts];
    sink.string(pick(40) === 0 ? Buffer.from('short') : idBytes(base, 0)).string(listpack(node, style));
  });
  const word = (value: number): unknown =>
    sink.number(pick(30) === 0 ? 2n ** 63n + BigInt(pick(2)) : odd(value));
  const big = (value: number): unknown =>
    sink.number(pick(14) === 0 ? 2n ** 64n - BigInt(1 + pick(2)) : Math.max(0, odd(value)));
  sink.number(Math.max(0, odd(live)));
  big(Math.max(last, ms - 1));
  big(0);
  if (revision >= 2) {
    big(first);
    big(0);
    big(pick(3) === 0 ? ms : 0);
    big(0);
    word(Math.max(live, ms));
  }
  return repeat(sink, pick(3), () => {
    sink.string(Buffer.from(pick(8) === 0 ? 'g' : `g${pick(1000)}`));
    big(pick(4));
    big(0);
    if (revision >= 2) big(pick(4));
    const pending = Array.from({ length: pick(4) }, (_, at) => at + 1 + small());
    repeat(sink, pending.length, () =>
      sink
        .fixed(idBytes(pending.shift() ?? 1, small()))
        .time(5)
        .number(1),
    );
    repeat(sink, pick(3), () => {
      sink.string(Buffer.from(pick(8) === 0 ? 'c' : `c${pick(1000)}`)).time(6);
      if (revision >= 3) sink.time(pick(3) - 1);
      let at = 0;
      repeat(sink, pick(3), () => sink.fixed(idBytes(++at, 0)));
    });
  });
}
