import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Authority } from '../../../../src/backup/restore/layout.ts';
import { freeSuffix, identify, lookAtFiles, makeMove } from '../../../../src/backup/restore/swap.ts';
import { planSwap, secondName, type DataFiles } from '../../../../src/backup/restore/swap-plan.ts';

const names = { dump: 'dump.rdb', aofFile: 'appendonly.aof', aofDir: 'appendonlydir' };
const parts = ['dump', 'aofFile', 'aofDir'] as const;
type Part = (typeof parts)[number];

/** A data directory in which every part says whose it is. */
function makeData(present: readonly Part[], incoming: readonly Part[]): { dir: string; staged: DataFiles } {
  const dir = mkdtempSync(join(tmpdir(), 'swap-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const put = (path: string, part: Part, text: string): void => {
    if (part === 'aofDir') mkdirSync(join(dir, path), { recursive: true });
    writeFileSync(join(dir, path, part === 'aofDir' ? 'manifest' : '.').replace(/\/\.$/, ''), text);
  };
  mkdirSync(join(dir, 'work'));
  writeFileSync(join(dir, 'work/bridge'), 'bridge');
  linkSync(join(dir, 'work/bridge'), join(dir, secondName('work/bridge')));
  for (const part of present) put(names[part], part, 'old');
  for (const part of incoming) put(`work/${part}`, part, 'new');
  return { dir, staged: Object.fromEntries(incoming.map((part) => [part, `work/${part}`])) };
}

function read(dir: string, path: string): string | undefined {
  const file = join(dir, path);
  if (!existsSync(file)) return undefined;
  return readFileSync(lstatSync(file).isDirectory() ? join(file, 'manifest') : file, 'utf8');
}

/** What the next start would read: `empty` when it would find nothing. */
function loads(dir: string, authority: Authority): string {
  if (authority === 'rdb') return read(dir, names.dump) ?? 'empty';
  if (authority === 'single') return read(dir, names.aofFile) ?? 'empty';
  return read(dir, names.aofDir) ?? read(dir, names.aofFile) ?? 'empty';
}

const subsets: Part[][] = [
  [],
  ['dump'],
  ['aofFile'],
  ['aofDir'],
  ['dump', 'aofFile'],
  ['dump', 'aofDir'],
  ['aofFile', 'aofDir'],
  [...parts],
];
const authorities: Authority[] = ['rdb', 'single', 'multi'];
const authoritative: Record<Authority, Part> = { rdb: 'dump', single: 'aofFile', multi: 'aofDir' };

const cases = authorities.flatMap((authority) =>
  subsets.flatMap((present) =>
    subsets
      .filter((incoming) => incoming.includes(authoritative[authority]))
      .map((incoming) => ({ authority, present, incoming })),
  ),
);

test.each(cases)(
  '$authority, $present by $incoming: at every moment all of the old or all of the new',
  (given) => {
    const { authority, present, incoming } = given;
    const { dir, staged } = makeData(present, incoming);
    const before = loads(dir, authority);
    const allowed = [before, 'new', 'bridge'];
    const { moves, kept } = planSwap({
      layout: { authority, names },
      present: lookAtFiles(dir, names),
      incoming: staged,
      bridge: 'work/bridge',
      suffix: '.kept',
    });
    const identified = identify(dir, moves);
    for (const [index, move] of identified.entries()) {
      makeMove(dir, move);
      expect(allowed).toContain(loads(dir, authority));
      // Killed here, and gone on with from the start: what was made stays made.
      for (const again of identified.slice(0, index + 1)) makeMove(dir, again);
      expect(allowed).toContain(loads(dir, authority));
    }
    for (const part of parts) {
      expect(read(dir, names[part])).toBe(incoming.includes(part) ? 'new' : undefined);
      expect(kept[part] !== undefined && read(dir, kept[part])).toBe(present.includes(part) && 'old');
    }
    expect(readdirSync(dir).filter((name) => name.includes('in-the-way'))).toEqual([]);
  },
);

test('what came into the place meanwhile is set aside too', () => {
  const { dir, staged } = makeData(['dump'], ['dump']);
  const { moves } = planSwap({
    layout: { authority: 'rdb', names },
    present: lookAtFiles(dir, names),
    incoming: staged,
    bridge: 'work/bridge',
    suffix: '.kept',
  });
  const [keep, move] = identify(dir, moves);
  if (keep === undefined || move === undefined) throw new Error('two moves');
  makeMove(dir, keep);
  // A server was started in between, and has saved.
  rmSync(join(dir, names.dump));
  writeFileSync(join(dir, names.dump), 'saved meanwhile');
  expect(makeMove(dir, move)).toBe('dump.rdb.in-the-way');
  expect(read(dir, 'dump.rdb')).toBe('new');
  expect(read(dir, 'dump.rdb.kept')).toBe('old');
  expect(read(dir, 'dump.rdb.in-the-way')).toBe('saved meanwhile');
});

test('the bridge is removed only where it is ours', () => {
  const { dir } = makeData(['aofFile'], []);
  makeMove(dir, { do: 'drop', path: names.aofFile, twin: 'work/bridge' });
  expect(read(dir, names.aofFile)).toBe('old');
});

test('names of what is set aside never meet', () => {
  const { dir } = makeData([], []);
  writeFileSync(join(dir, 'dump.rdb.x'), '');
  expect(freeSuffix(dir, ['dump.rdb', 'other'], '.x')).toBe('.x-2');
  expect(freeSuffix(dir, ['other'], '.x')).toBe('.x');
});
