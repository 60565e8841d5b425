import { expect, test } from 'vitest';
import { haveItsLength } from '../../../../src/backup/aof/judge-identity.ts';
import type { OpenAofFile } from '../../../../src/backup/aof/open-set.ts';
import type { AofManifest } from '../../../../src/formats/aof/aof-manifest.ts';

const told = (current: string, base = '100', run = 'a'): ReadonlyMap<string, string> =>
  new Map([
    ['run_id', run],
    ['aof_base_size', base],
    ['aof_current_size', current],
  ]);

function files(...sizes: number[]): OpenAofFile[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only its length is looked at
  return sizes.map((size) => ({ size })) as OpenAofFile[];
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only whether it lists a base
const withBase = { base: {}, incrs: [], history: [] } as unknown as AofManifest;

test.each([
  ['as many', told('150'), told('150'), files(100, 50), withBase, true],
  ['one that went on writing', told('150'), told('180'), files(100, 60), withBase, true],
  ['too few', told('150'), told('150'), files(100, 49), withBase, false],
  ['too many', told('150'), told('180'), files(100, 81), withBase, false],
  [
    'the base of a first start is not counted',
    told('50', '0'),
    told('50', '0'),
    files(89, 50),
    withBase,
    true,
  ],
  ['one file, as before 7.0', told('150'), told('150'), files(150), undefined, true],
  ['rewritten meanwhile', told('150'), told('150', '120'), files(150), undefined, false],
  ['restarted meanwhile', told('150'), told('150', '100', 'b'), files(150), undefined, false],
  ['told nothing', new Map(), new Map(), files(0), undefined, false],
] as const)('%s', (_, before, after, opened, manifest, is) => {
  expect(haveItsLength(before, after, { manifest, files: [...opened] })).toBe(is);
});
