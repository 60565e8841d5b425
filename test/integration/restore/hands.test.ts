// Who works in a data directory: ourselves, or, under root, a process with the rights of the data's user.
import {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { provideHands } from '../../../src/app/hands/hands.ts';
import { handsCommand } from '../../../src/app/hands/command.ts';
import type { FileOwnership } from '../../../src/backup/restore/file-ownership.ts';
import { localFolder, type DataFolder } from '../../../src/backup/restore/folder/data-folder.ts';
import type { Journal } from '../../../src/backup/restore/journal.ts';
import { handsProgram } from '../../support/agent/hands-program.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const isRoot = process.getuid?.() === 0;
const owner = isRoot ? { uid: 1, gid: 1 } : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const ownership: FileOwnership = { owner, file: { mode: 0o640, ...owner }, folder: { mode: 0o750 } };

function makeData(): string {
  const dir = makeTempFolder();
  onTestFinished(() => removeTempFolder(dir));
  chownSync(dir, owner.uid, owner.gid);
  return dir;
}

const layout = {
  authority: 'rdb',
  names: { dump: 'dump.rdb', aofFile: 'a.aof', aofDir: 'aof' },
} as const;

/** By a program that does what it is to do, or another one. */
async function openHands(dir: string, program: readonly string[] = handsProgram()): Promise<DataFolder> {
  const hands = provideHands(program);
  onTestFinished(() => hands.close());
  return await hands.openFolder(dir, layout, { user: owner, guarded: false });
}

/** Of this test. */
function handsProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const parent = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        return words.includes(handsCommand) && Number(parent) === process.pid;
      } catch {
        return false;
      }
    })
    .map(Number);
}

const journal: Journal = {
  schema: 1,
  token: '20261129T101112345Z-1',
  kind: 'restore',
  instance: 'main',
  backup: 'b',
  started_at: '2026-11-29T10:11:12.345Z',
  step: 'stage',
  was_running: true,
  keys_before: 1,
  layout,
  source: 'rdb',
  kept: {},
  incoming: {},
  moves: [],
  expected: null,
  problem: null,
  outcome: null,
};

const openers: [string, (dir: string) => Promise<DataFolder>][] = [
  ['this process', async (dir) => localFolder(dir, ownership)],
  ['a process of its own', openHands],
];

// Who is not root does it himself, and so does whoever is asked for it.
describe.each(openers)('by %s', (_, open) => {
  test('a file is written, finished, read and made durable; its owner and mode are the data’s', async () => {
    const dir = makeData();
    const folder = await open(dir);
    await folder.makeFolder('work/inner');
    {
      await using file = await folder.create('work/dump.rdb');
      await file.write(Buffer.alloc(1_500_000, 'a'));
      await file.write(Buffer.from('end'));
      expect(lstatSync(join(dir, 'work/dump.rdb')).mode & 0o777).toBe(0o600);
      await file.finish(true);
    }
    await folder.sync('work/dump.rdb');
    const { mode, uid, size } = lstatSync(join(dir, 'work/dump.rdb'));
    expect({ mode: mode & 0o777, uid, size }).toEqual({ mode: 0o640, uid: owner.uid, size: 1_500_003 });
    await using opened = await folder.open('work/dump.rdb');
    const buffer = Buffer.alloc(10);
    expect(await opened.read(buffer, 2, 8, 1_499_999)).toEqual({ bytesRead: 4 });
    expect(buffer.toString('latin1')).toBe('\0\0aend\0\0\0\0');
    await expect(folder.create('work/dump.rdb')).rejects.toMatchObject({ code: 'EEXIST' });
    await folder.remove('work');
    expect(readdirSync(dir)).toEqual([]);
  });

  test('journals are kept, the newest that was done is found; one that leads elsewhere is refused', async () => {
    const dir = makeData();
    const folder = await open(dir);
    expect(await folder.readJournal()).toBeUndefined();
    await folder.writeJournal(journal);
    expect(await folder.readJournal()).toEqual(journal);
    await folder.archiveJournal({ ...journal, outcome: 'done' });
    expect(await folder.readJournal()).toBeUndefined();
    expect(await folder.lastDone()).toEqual({ ...journal, outcome: 'done' });
    await folder.writeJournal({ ...journal, kept: { dump: '../dump.rdb' } });
    await expect(folder.readJournal()).rejects.toMatchObject({ code: 'failed', reason: 'journal' });
  });

  test('what is in the way is set aside, and what is gone is told', async () => {
    const dir = makeData();
    const folder = await open(dir);
    writeFileSync(join(dir, 'new'), 'new');
    writeFileSync(join(dir, 'dump.rdb'), 'old');
    const [move] = await folder.identify([{ do: 'move', from: 'new', to: 'dump.rdb' }]);
    if (move === undefined) throw new Error('one move');
    expect(await folder.makeMove(move)).toBe('dump.rdb.in-the-way');
    expect(readFileSync(join(dir, 'dump.rdb'), 'utf8')).toBe('new');
    await expect(folder.makeMove({ do: 'move', from: 'gone', to: 'nowhere' })).rejects.toMatchObject({
      name: 'AgentError',
      reason: 'place',
    });
  });
});

describe.skipIf(!isRoot)('under root', () => {
  test('it is the data’s user for good, alone, and knows nothing', async () => {
    const dir = makeData();
    const folder = await openHands(dir);
    await folder.probe();
    const [pid, ...others] = handsProcesses();
    if (pid === undefined) throw new Error('a process works there');
    expect(others).toEqual([]);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): string => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? '';
    expect(field('Uid').split('\t')).toEqual(['1', '1', '1', '1']);
    expect(field('Gid').split('\t')).toEqual(['1', '1', '1', '1']);
    expect(field('Groups').trim().split(' ')).not.toContain('0');
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) expect(field(set)).toMatch(/^0+$/);
    expect(field('NoNewPrivs')).toBe('1');
    const [, , , session, terminal] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    expect({ session: Number(session), terminal }).toEqual({ session: pid, terminal: '0' });
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
    // The shell that sets its limits has its own.
    expect(environment.filter((each) => !/^(?:PWD=\/$|NODE_COMPILE_CACHE=)/.test(each))).toEqual([]);
  });

  test('a link to what is root’s leads it nowhere', async () => {
    const dir = makeData();
    const secret = join(makeTempFolder(), 'secret');
    onTestFinished(() => removeTempFolder(join(secret, '..')));
    writeFileSync(secret, 'of root', { mode: 0o600 });
    symlinkSync(secret, join(dir, 'log'));
    symlinkSync(join(secret, '..'), join(dir, 'work'));
    const folder = await openHands(dir);
    await expect(folder.open('log')).rejects.toMatchObject({ code: 'ELOOP' });
    await expect(folder.open('work/secret')).rejects.toMatchObject({ code: 'EACCES' });
    await expect(folder.create('work/new')).rejects.toMatchObject({ code: 'EACCES' });
    await expect(folder.tailOf(secret, 0)).rejects.toMatchObject({ code: 'EACCES' });
  });

  test('a directory that is root’s is not written to', async () => {
    const dir = makeTempFolder();
    onTestFinished(() => removeTempFolder(dir));
    chmodSync(dir, 0o755);
    await expect((await openHands(dir)).probe()).rejects.toMatchObject({ code: 'EACCES' });
    expect(readdirSync(dir)).toEqual([]);
  });

  test('killed, it takes with it what it was asked for; the next thing another one does', async () => {
    const dir = makeData();
    const folder = await openHands(dir);
    await using file = await folder.create('half');
    const [pid = 0] = handsProcesses();
    process.kill(pid, 'SIGKILL');
    await file.write(Buffer.from('more'));
    await expect(file.finish(true)).rejects.toMatchObject({
      reason: 'hands',
      hint: expect.stringContaining('the next run ends what this one has begun'),
    });
    await folder.remove('half');
    expect(readdirSync(dir)).toEqual([]);
    expect(handsProcesses()).not.toContain(pid);
  }, 20_000);

  test.each<[string, string, RegExp]>([
    [
      'answers without an end',
      'for (;;) require("node:fs").writeSync(3, Buffer.alloc(65536, 0x7f))',
      /more than/,
    ],
    [
      'writes escapes as it dies',
      'process.stderr.write("\\u001b[2Jgone"); process.exit(1)',
      /has ended \(\\x1b\[2Jgone\)/,
    ],
    ['cannot be started', '', /has ended/],
  ])('one that %s is given up, and left to nobody', async (what, code, why) => {
    const dir = makeData();
    const program = what === 'cannot be started' ? ['/nonexistent'] : [process.execPath, '-e', code, '--'];
    await expect(openHands(dir, program)).rejects.toMatchObject({
      code: 'failed',
      reason: 'hands',
      message: expect.stringMatching(why),
    });
    await expect.poll(() => handsProcesses()).toEqual([]);
  });
});
