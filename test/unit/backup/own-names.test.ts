import { expect, test } from 'vitest';
import { isSomebodys, namesOfOurs } from '../../../src/backup/own-names.ts';
import { sampleManifest } from '../../support/data/sample-manifest.ts';

const mark = 'verify-20260101T000000000Z-loaded-ok.json';

test('with a manifest: its artefact, and what lies beside it under a name of ours', () => {
  const ours = ['manifest.json', 'keys.json', 'accepted.json', mark, 'dump.rdb.zst'];
  const others = [
    'dump.rdb',
    'dump.rdb.zst.age',
    'aof.tar',
    'aof.tar.zst',
    'notes',
    'verify-never-loaded-ok.json',
  ];
  expect(namesOfOurs([...others, ...ours], sampleManifest())).toEqual(ours);
});

test('without one: every artefact, but for what another decodes to', () => {
  const cases: [string[], string[]][] = [
    [['dump.rdb'], ['dump.rdb']],
    [['dump.rdb', 'dump.rdb.zst'], ['dump.rdb.zst']],
    [['dump.rdb', 'dump.rdb.zst', 'dump.rdb.zst.age'], ['dump.rdb.zst.age']],
    [['aof.tar', 'aof.tar.age', 'appendonlydir'], ['aof.tar.age']],
    [
      ['dump.rdb', 'dump.rdb.gz', mark],
      ['dump.rdb', mark],
    ],
  ];
  for (const [names, ours] of cases) expect(namesOfOurs(names, undefined)).toEqual(ours);
});

test('an uncompressed file alone is an interrupted backup, or was decoded beside one that has gone', () => {
  const [old, newest, next] = ['20260101T000000Z-0001', '20260102T000000Z-0001', '20260103T000000Z-0001'];
  const judge = (id: string, ...names: string[]): boolean =>
    isSomebodys(
      id,
      names.map((name) => `main/${id}/${name}`),
      newest,
    );
  expect(judge(old, 'dump.rdb')).toBe(true);
  expect(judge(old, 'aof.tar')).toBe(true);
  expect(judge(next, 'dump.rdb')).toBe(false);
  expect(judge(old, 'dump.rdb', mark)).toBe(false);
  expect(judge(old, 'dump.rdb.zst')).toBe(false);
  expect(judge(old, 'dump.rdb.age')).toBe(false);
});
