// What a process without root's rights has made where it may not write: root takes it over, and is led nowhere by it.
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFilled, type FilledFolder } from '../../../../src/app/switch/filled-folder.ts';
import { actAs } from '../../../../src/lib/process/act-as.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const isRoot = process.geteuid?.() === 0;
const maker = { uid: 65_534, gid: 65_534 };

describe.runIf(isRoot)('a folder that is filled by another user', () => {
  let folder: string;
  beforeEach(() => {
    folder = makeTempFolder();
  });
  afterEach(() => removeTempFolder(folder));

  /** As the maker, in the folder that he was given, by its descriptor alone. */
  function fill(filled: FilledFolder, make: (place: string) => void): void {
    actAs(maker, () => make(`/proc/self/fd/${filled.descriptor}`));
  }

  function open(path = folder): FilledFolder {
    const filled = openFilled(path, maker);
    if (filled === undefined) throw new Error('it was asked for');
    return filled;
  }

  test('a file and a folder of files take their places, as root’s', () => {
    writeFileSync(join(folder, 'before'), '');
    {
      using filled = open();
      expect(filled.taken).toContain('before');
      fill(filled, (place) => {
        writeFileSync(join(place, '20261130T110028Z-7c66.rdb'), 'dump', { mode: 0o666 });
        mkdirSync(join(place, '20261130T110028Z-7c66.aof'));
        writeFileSync(join(place, '20261130T110028Z-7c66.aof/manifest'), 'list');
      });
      expect(existsSync(join(folder, '20261130T110028Z-7c66.rdb'))).toBe(false);
      filled.keep();
    }
    expect(readdirSync(folder).toSorted()).toEqual([
      '20261130T110028Z-7c66.aof',
      '20261130T110028Z-7c66.rdb',
      'before',
    ]);
    for (const [name, mode] of [
      ['20261130T110028Z-7c66.rdb', 0o600],
      ['20261130T110028Z-7c66.aof', 0o700],
      ['20261130T110028Z-7c66.aof/manifest', 0o600],
    ] as const) {
      const stats = statSync(join(folder, name));
      expect({ name, uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o7777 }).toEqual({
        name,
        uid: 0,
        gid: 0,
        mode,
      });
    }
  });

  test('what was not finished is gone, and so is its folder', () => {
    {
      using filled = open();
      fill(filled, (place) => {
        mkdirSync(join(place, '20261130T110028Z-7c66.aof'));
        writeFileSync(join(place, '20261130T110028Z-7c66.aof/half'), '');
        symlinkSync('/etc/hostname', join(place, '20261130T110028Z-7c66.aof/link'));
        symlinkSync('/etc', join(place, 'link'));
      });
      using _ = open(join(folder, 'made/for it'));
      expect(readdirSync(folder)).toContain('made');
    }
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync('/etc/passwd')).toBe(true);
  });

  test.each<[string, (place: string, theirs: string) => void]>([
    ['a link to a file', (place, theirs) => symlinkSync(theirs, join(place, '20261130T110028Z-7c66.rdb'))],
    ['a link to a folder', (place) => symlinkSync('/etc', join(place, '20261130T110028Z-7c66.aof'))],
    [
      'a second name of a file',
      (place) => {
        writeFileSync(join(place, '20261130T110028Z-7c66.rdb'), '');
        linkSync(join(place, '20261130T110028Z-7c66.rdb'), join(place, '20261130T110029Z-7c66.rdb'));
      },
    ],
    ['a file of another name', (place) => writeFileSync(join(place, '.profile'), 'id')],
    [
      'folders in a folder',
      (place) => mkdirSync(join(place, '20261130T110028Z-7c66.aof/deeper'), { recursive: true }),
    ],
  ])('%s is not taken over', (_, make) => {
    const theirs = join(folder, 'of root');
    writeFileSync(theirs, 'as it was', { mode: 0o640 });
    {
      using filled = open();
      fill(filled, (place) => make(place, theirs));
      expect(() => filled.keep()).toThrow('was made, which is no backup: nothing was kept');
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.rdb'))).toEqual([]);
    expect(readFileSync(theirs, 'utf8')).toBe('as it was');
    expect(statSync(theirs).mode & 0o7777).toBe(0o640);
  });

  describe('what a run that was killed has left', () => {
    /** Of a process that is no more: no pid is that high. */
    const gone = `.redis-agent-4194305-1-${'a'.repeat(12)}`;
    const leave = (name: string, owner = maker): void => {
      const left = join(folder, name);
      mkdirSync(join(left, '20261130T110028Z-7c66.aof'), { recursive: true });
      writeFileSync(join(left, '20261130T110028Z-7c66.aof/half'), '');
      symlinkSync('/etc', join(left, 'link'));
      chownSync(left, owner.uid, owner.gid);
    };

    test('is removed', () => {
      leave(gone);
      using filled = open();
      expect(filled.left).toEqual([{ name: gone, removed: true }]);
      expect(readdirSync(folder)).toHaveLength(1);
      expect(existsSync('/etc/passwd')).toBe(true);
    });

    test('stays where it is in use, and nothing is said', () => {
      using one = open();
      using two = open();
      expect([one.left, two.left]).toEqual([[], []]);
      expect(readdirSync(folder)).toHaveLength(2);
    });

    test.each<[string, () => void]>([
      ['of somebody else', () => leave(gone, { uid: 1, gid: 1 })],
      ['a link', () => symlinkSync('/etc', join(folder, gone))],
      [
        'in a folder that others may write in',
        () => {
          leave(gone);
          chmodSync(folder, 0o1777);
        },
      ],
      [
        'in a folder of somebody else',
        () => {
          leave(gone);
          chownSync(folder, maker.uid, maker.gid);
        },
      ],
    ])('is only named: %s', (_, make) => {
      make();
      const before = readdirSync(join(folder, gone));
      using filled = open();
      expect(filled.left).toEqual([{ name: gone, removed: false }]);
      expect(readdirSync(join(folder, gone))).toEqual(before);
    });
  });

  test('what is there stays', () => {
    writeFileSync(join(folder, '20261130T110028Z-7c66.rdb'), 'as it was');
    using filled = open();
    fill(filled, (place) => writeFileSync(join(place, '20261130T110028Z-7c66.rdb'), 'another'));
    expect(() => filled.keep()).toThrow(`${join(folder, '20261130T110028Z-7c66.rdb')} is there already`);
    expect(readFileSync(join(folder, '20261130T110028Z-7c66.rdb'), 'utf8')).toBe('as it was');
  });

  test('its maker can put nothing into it any more, once it is taken over', () => {
    chownSync(folder, 0, 0);
    using filled = open();
    fill(filled, (place) => writeFileSync(join(place, '20261130T110028Z-7c66.rdb'), 'dump'));
    filled.keep();
    expect(() => fill(filled, (place) => writeFileSync(join(place, 'late'), ''))).toThrow('EACCES');
  });
});

test('where no folder can be made', () => {
  expect(() => openFilled('/proc/here', maker)).toThrow(/^cannot write to \/proc\/here: /);
});
