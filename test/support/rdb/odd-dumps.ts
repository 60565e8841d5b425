import { rdbOf } from './rdb.ts';
import { listpack, zipmap } from './packed-writer.ts';
import { usual } from './style.ts';
import { ValueSink } from './value-sink.ts';

/** Dumps that somebody else wrote, or a server with a bug. `magic`: of the oldest format that has all of it. */
export interface OddDump {
  bytes: Buffer;
  /** What `rdb check --deep` says. */
  verdict: 'sound' | 'passed-over' | 'damaged';
  /** In what it says. */
  says: RegExp;
}

const value = (fill: (sink: ValueSink) => unknown): Buffer => {
  const sink = new ValueSink(usual);
  fill(sink);
  return sink.take();
};
const text = (content: string): Buffer => Buffer.from([content.length, ...Buffer.from(content, 'latin1')]);
const key = (code: number, name: string, raw: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of(code), text(name), raw]);
const other = key(0, 'other', text('v'));
const library = (code: string): Buffer => Buffer.concat([Buffer.of(245), text(code)]);
const entries = (...parts: (string | number | bigint)[]): Buffer =>
  listpack(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)),
    usual,
  );

function stream(node: Buffer, length: number, { added }: { added?: bigint } = {}): Buffer {
  const id = Buffer.alloc(16);
  id.writeBigUInt64BE(1n);
  return value((sink) => {
    sink.number(1).string(id).string(node).number(length).number(9).number(0);
    if (added !== undefined) sink.number(1).number(0).number(0).number(0).number(added);
    sink.number(0);
  });
}

const two = entries(2, 0, 1, 'f', 0, 2, 0, 0, 'v', 4, 2, 1, 0, 'v', 4);

/** By name: one of each kind that a public tool, an old server or an attacker has made. */
export const oddDumps: Readonly<Record<string, OddDump>> = {
  'a key twice': {
    bytes: rdbOf(Buffer.concat([key(0, 'a', text('1')), other, key(0, 'a', text('2'))])),
    verdict: 'damaged',
    says: /record 2, key "a": database 0 has this key twice/,
  },
  'a high database without keys': {
    bytes: rdbOf(Buffer.concat([other, Buffer.of(254, 20)])),
    verdict: 'sound',
    says: /selects database 20/,
  },
  'field expiries that fall': {
    bytes: rdbOf(
      Buffer.concat([
        other,
        key(
          23,
          'h',
          value((sink) => sink.string(entries('a', '1', 9_000n, 'b', '2', 8_000n))),
        ),
      ]),
      'REDIS0012',
    ),
    verdict: 'damaged',
    says: /do not ascend by their expiry/,
  },
  'a field that never expires before one that does': {
    bytes: rdbOf(
      key(
        23,
        'h',
        value((sink) => sink.string(entries('a', '1', 0, 'b', '2', 9_000n))),
      ),
      'REDIS0012',
    ),
    verdict: 'damaged',
    says: /do not ascend by their expiry/,
  },
  'a zipmap with a length of 253 in five bytes': {
    bytes: rdbOf(
      Buffer.concat([
        other,
        key(
          9,
          'h',
          value((sink) =>
            sink.string(
              Buffer.concat([
                Buffer.from([1, 1, 0x61, 254, 253, 0, 0, 0, 0]),
                Buffer.alloc(253, 'x'),
                Buffer.of(255),
              ]),
            ),
          ),
        ),
      ]),
    ),
    verdict: 'damaged',
    says: /a length of 253 in the long form/,
  },
  'a zipmap that says 255 pairs': {
    bytes: rdbOf(
      key(
        9,
        'h',
        value((sink) =>
          sink.string(
            Buffer.concat([Buffer.of(255), zipmap([Buffer.from('a'), Buffer.from('b')], usual).subarray(1)]),
          ),
        ),
      ),
    ),
    verdict: 'damaged',
    says: /not the 255 of its header/,
  },
  'a score behind a no-break space': {
    bytes: rdbOf(key(3, 'z', Buffer.concat([Buffer.of(1), text('m'), text('\u{a0}1')]))),
    verdict: 'damaged',
    says: /score is not a number/,
  },
  'two libraries of one name': {
    bytes: rdbOf(Buffer.concat([library('#!lua name=x\nreturn 1'), library('#!lua name=x\nreturn 2')])),
    verdict: 'damaged',
    says: /function library x is there twice/,
  },
  'a library that does not compile': {
    bytes: rdbOf(library('#!lua name=x\nif then')),
    verdict: 'sound',
    says: /only a server can tell/,
  },
  'a stream node of deleted entries': {
    bytes: rdbOf(key(15, 's', stream(entries(0, 1, 1, 'f', 0, 3, 0, 0, 'v', 4), 0))),
    verdict: 'damaged',
    says: /without an entry that is not deleted/,
  },
  'more entries added than a server can count': {
    bytes: rdbOf(key(19, 's', stream(two, 2, { added: 2n ** 63n }))),
    verdict: 'damaged',
    says: /counts more entries than a server can/,
  },
  'a stream with a stale length': {
    bytes: rdbOf(Buffer.concat([key(15, 's', stream(two, 5)), other]), 'REDIS0009'),
    verdict: 'passed-over',
    says: /"s" is a stream that states another length/,
  },
  'an empty list beside a key': {
    bytes: rdbOf(Buffer.concat([key(1, 'l', Buffer.of(0)), other]), 'REDIS0009'),
    verdict: 'passed-over',
    says: /"l" is without any element/,
  },
};
