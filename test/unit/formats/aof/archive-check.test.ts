import { describe, expect, test } from 'vitest';
import { AofArchiveCheck } from '../../../../src/formats/aof/archive-check.ts';
import { makeAofArchive, sampleAofFiles } from '../../../support/data/aof-archive.ts';
import { resp } from '../../../support/data/resp.ts';

function check(archive: Uint8Array, chunk = archive.length): ReturnType<AofArchiveCheck['finish']> {
  const checker = new AofArchiveCheck();
  for (let at = 0; at < archive.length; at += chunk) checker.update(archive.subarray(at, at + chunk));
  return checker.finish();
}

const sound = sampleAofFiles();

test('a sound set, whatever the chunks', () => {
  const archive = makeAofArchive(sound);
  for (const chunk of [1, 100, 512, archive.length])
    expect(check(archive, chunk)).toEqual({
      sound: true,
      rdbVersion: 10,
      unread: null,
      content: {
        layout: 'multi-part',
        files: [
          { name: 'appendonly.aof.2.base.rdb', type: 'base', bytes: expect.any(Number), commands: 0 },
          { name: 'appendonly.aof.5.incr.aof', type: 'incr', bytes: expect.any(Number), commands: 2 },
          { name: 'appendonly.aof.6.incr.aof', type: 'incr', bytes: 0, commands: 0 },
        ],
      },
    });
});

test('a sound single file', () => {
  const file = { 'appendonly.aof': resp(['SELECT', '0'], ['SET', 'a', '1']) };
  expect(check(makeAofArchive(file))).toMatchObject({
    sound: true,
    rdbVersion: 0,
    content: { layout: 'single', files: [{ name: 'appendonly.aof', type: 'single', commands: 2 }] },
  });
});

describe('not sound', () => {
  const incr = 'appendonlydir/appendonly.aof.5.incr.aof';
  const bytes = sound[incr]!;
  const base = 'appendonlydir/appendonly.aof.2.base.rdb';
  const without = (name: string): Record<string, Buffer> =>
    Object.fromEntries(Object.entries(sound).filter(([key]) => key !== name));
  const flipped = (name: string, at: number): Record<string, Buffer> => {
    const copy = Buffer.from(sound[name]!);
    copy[at]! ^= 0x08;
    return { ...sound, [name]: copy };
  };
  const cases: [string, Record<string, Buffer>, RegExp][] = [
    ['torn', { ...sound, [incr]: bytes.subarray(0, -3) }, /5\.incr\.aof ends inside a command/],
    ['a transaction without end', { ...sound, [incr]: resp(['MULTI']) }, /ends inside a transaction/],
    ['broken framing', flipped(incr, 0), /5\.incr\.aof is corrupt at byte 0: expected \*/],
    ['a damaged base', flipped(base, 20), /2\.base\.rdb is corrupt/],
    ['a base that ends early', { ...sound, [base]: sound[base]!.subarray(0, 30) }, /inside a preamble/],
    ['a file less', without(incr), /6\.incr\.aof" is not what comes next/],
    [
      'the last file less',
      without('appendonlydir/appendonly.aof.6.incr.aof'),
      /6\.incr\.aof is in its manifest/,
    ],
    ['a file more', { ...sound, 'appendonly.aof': bytes }, /is not what comes next/],
    ['no manifest', without('appendonlydir/appendonly.aof.manifest'), /is not what comes next/],
    [
      'a bad manifest',
      { ...sound, 'appendonlydir/appendonly.aof.manifest': Buffer.from('file x\n') },
      /line 1/,
    ],
    ['nothing', {}, /holds no append only file/],
    ['another path', { '../../etc/passwd': bytes }, /is not what comes next/],
  ];
  test.each(cases)('%s', (_, files, problem) => {
    expect(check(makeAofArchive(files))).toEqual({ sound: false, problem: expect.stringMatching(problem) });
  });

  test('cut off', () => {
    const archive = makeAofArchive(sound);
    for (let length = 0; length < archive.length; length += 61)
      expect(check(archive.subarray(0, length)).sound, `${length} bytes`).toBe(false);
  });
});
