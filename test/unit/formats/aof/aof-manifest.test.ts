import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../../src/domain/errors.ts';
import {
  formatAofManifest,
  parseAofManifest,
  type AofFile,
} from '../../../../src/formats/aof/aof-manifest.ts';

const usual = [
  'file appendonly.aof.3.base.rdb seq 3 type b',
  'file appendonly.aof.2.incr.aof seq 2 type h',
  'file appendonly.aof.4.incr.aof seq 4 type i',
  'file appendonly.aof.7.incr.aof seq 7 type i',
];
const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');

test('what servers write, and a copy of it without history', () => {
  const manifest = parseAofManifest(lines(...usual));
  expect(manifest.base).toEqual({ name: 'appendonly.aof.3.base.rdb', seq: 3, type: 'b', extra: [] });
  expect(manifest.incrs.map(({ seq }) => seq)).toEqual([4, 7]);
  expect(manifest.history.map(({ seq }) => seq)).toEqual([2]);
  expect(formatAofManifest(manifest)).toBe(lines(usual[0]!, usual[2]!, usual[3]!));
});

test('no base, comments, further pairs in any place, keys in any case', () => {
  const text = lines('# a comment', 'FILE a seq 1 startoffset 17 type i endoffset 25', 'file b type i seq 2');
  const manifest = parseAofManifest(text);
  expect(manifest.base).toBeUndefined();
  expect(manifest.incrs[0]?.extra).toEqual([
    ['startoffset', '17'],
    ['endoffset', '25'],
  ]);
  expect(formatAofManifest(manifest)).toBe(
    lines('file a seq 1 type i startoffset 17 endoffset 25', 'file b seq 2 type i'),
  );
});

test('names in quotes, as servers write them', () => {
  const text = lines(String.raw`file "my aof \"\\\x07\xc3\xa4.1.base.rdb" seq 1 type b`);
  expect(() => parseAofManifest(text)).toThrow('is a path');
  const sound = lines(
    String.raw`file "my aof \"\a\xc3\xa4.1.base.rdb" seq 1 type b`,
    "file 'it\\'s' seq 1 type i",
  );
  const manifest = parseAofManifest(sound);
  expect([manifest.base?.name, manifest.incrs[0]?.name]).toEqual(['my aof "\u0007ä.1.base.rdb', "it's"]);
  expect(parseAofManifest(formatAofManifest(manifest))).toEqual(manifest);
});

describe('refuses, with the line', () => {
  test.for<[what: string, text: string, problem: string]>([
    ['an empty file', '', 'it is empty'],
    ['an empty line', lines(usual[0]!, ''), 'line 2: it is no list of'],
    ['no line break at the end', usual[0]!, 'line 1: it does not end with a line break'],
    ['an odd number of words', lines('file a seq 1 type b more'), 'line 1: it is no list of'],
    ['too few words', lines('file a seq 1'), 'line 1: it is no list of'],
    ['no name', lines('seq 1 type b more more'), 'line 1: it names no file'],
    ['a path', lines('file ../a seq 1 type b'), 'line 1: "../a" is a path'],
    ['the folder above', lines('file .. seq 1 type b'), 'line 1: ".." is a path'],
    ['a zero byte', lines(String.raw`file "a\x00b" seq 1 type b`), 'is a path'],
    ['no number', lines('file a seq x type b'), 'line 1: "x" is no sequence number'],
    ['number zero', lines('file a seq 0 type b'), '"0" is no sequence number'],
    ['a number beyond all bounds', lines(`file a seq ${'9'.repeat(40)} type b`), 'is no sequence number'],
    ['another type', lines('file a seq 1 type x'), 'line 1: "x" is no type of file'],
    ['two bases', lines('file a seq 1 type b', 'file b seq 2 type b'), 'line 2: it names a second base'],
    ['a falling sequence', lines(usual[3]!, usual[2]!), 'line 2: incr 4 comes after incr 7'],
    ['a repeated number', lines('file a seq 1 type i', 'file b seq 1 type i'), 'line 2: incr 1 comes after'],
    ['a file twice', lines('file a seq 1 type b', 'file a seq 1 type i'), 'line 2: "a" is listed twice'],
    ['an open quote', lines('file "a seq 1 type b'), 'line 1: its quotes are not closed'],
    ['a quote with something behind it', lines('file "a"b seq 1 type b'), 'line 1: its quotes'],
    [
      'a long comment',
      lines(`# ${'x'.repeat(1100)}`),
      'line 1: it is longer than 1024 bytes, and a server takes its rest',
    ],
    ['a long line', lines(`file ${'a'.repeat(1024)} seq 1 type b`), 'line 1: it is longer than 1024 bytes'],
  ])('%s', ([, text, problem]) => {
    expect(() => parseAofManifest(text)).toThrow(problem);
  });
});

test('whatever is written is read back', () => {
  const name = fc
    .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
    .filter(
      (text) =>
        !/[/\\\0]/.test(text) && text !== '.' && text !== '..' && Buffer.from(text).toString() === text,
    );
  const names = fc.uniqueArray(name, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(names, fc.boolean(), ([first = '', ...others], hasBase) => {
      const base: AofFile | undefined = hasBase ? { name: first, seq: 9, type: 'b', extra: [] } : undefined;
      const incrs = others.map((each, index): AofFile => ({
        name: each,
        seq: index + 1,
        type: 'i',
        extra: [['k', each]],
      }));
      const text = formatAofManifest({ base, incrs });
      fc.pre(text !== '');
      expect(parseAofManifest(text)).toEqual({ base, incrs, history: [] });
    }),
  );
});

/** The error's code, or ok. */
function outcome(text: string): unknown {
  try {
    parseAofManifest(text);
    return 'ok';
  } catch (error) {
    return error instanceof AgentError ? error.code : error;
  }
}

test('whatever it reads, it reads or refuses', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, at) => {
      const text = Buffer.from(bytes).toString('latin1');
      const whole = lines(...usual);
      expect(['ok', 'damaged']).toContain(outcome(text));
      expect(['ok', 'damaged']).toContain(outcome(whole.slice(0, at) + text + whole.slice(at)));
    }),
  );
});
