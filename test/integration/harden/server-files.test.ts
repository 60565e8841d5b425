// Who reads and changes a server's configuration: this process, one with the rights of the server's user, and root's unit.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askedServerFiles } from '../../../src/app/conf/asked-files.ts';
import { rootFileVerbs } from '../../../src/app/conf/root-files.ts';
import { AskedHands } from '../../../src/app/hands/ask.ts';
import { startHands } from '../../../src/app/hands/start.ts';
import { sha256Of } from '../../../src/harden/apply/fingerprint.ts';
import type { Journal } from '../../../src/harden/apply/journal.ts';
import { localServerFiles, type ServerFiles } from '../../../src/harden/apply/server-files.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { resolveConf } from '../../../src/redis/conf/resolve-conf.ts';
import { handsProgram } from '../../support/agent/hands-program.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { serverUser } from '../../support/servers/server-user.ts';
import { defaultBuild } from '../../support/servers/redis-server.ts';

const isRoot = process.getuid?.() === 0;
const user = serverUser ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const journal: Journal = {
  schema: 1,
  token: '20261130T010203004Z-7',
  kind: 'apply',
  undoes: null,
  instance: 'main',
  policy: 'queue',
  started_at: '2026-11-30T01:02:03.004Z',
  step: 'keep',
  run_id: '',
  restart: false,
  changes: [],
  users: [],
  files: [],
  keys: 0,
  problem: null,
  outcome: null,
};

interface Place {
  folder: string;
  file: string;
  included: string;
  owner: { uid: number; gid: number };
}

/** A configuration that includes another one and has an aclfile, in a folder of `owner`'s. */
function makeConf(owner: { uid: number; gid: number }): Place {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const file = join(folder, 'redis.conf');
  const included = join(folder, 'more.conf');
  writeFileSync(file, `port 0\ninclude ${folder}/m*.conf\naclfile ${folder}/users.acl\n`, { mode: 0o640 });
  writeFileSync(included, 'timeout 7\n', { mode: 0o640 });
  writeFileSync(join(folder, 'users.acl'), 'user default on nopass ~* &* +@all\n', { mode: 0o640 });
  for (const path of [file, included, join(folder, 'users.acl')]) chownSync(path, owner.uid, user.gid);
  chownSync(folder, owner.uid, owner.gid);
  chmodSync(folder, 0o755);
  return { folder, file, included, owner };
}

function handsOf(): AskedHands {
  const hands = new AskedHands(user, () => Promise.resolve(startHands(handsProgram(), user)));
  onTestFinished(() => hands.close());
  return hands;
}

/** As a mind has them: by hands, and by root where its folder is root's. */
function askedFiles(file: string, rootsFile: string | undefined): ServerFiles {
  const root: Record<string, (...args: never[]) => unknown> = rootFileVerbs(() => Promise.resolve(rootsFile));
  const hands = handsOf();
  return askedServerFiles(
    { file, directives: [] },
    {
      hands: async (verb, args) => await hands.ask(verb, args),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as they come over a socket
      root: async (verb, args) => await root[verb]?.(...(['main', ...args] as never[])),
    },
  );
}

const ways = {
  'this process': () => {
    const place = makeConf(user);
    return { place, files: localServerFiles({ file: place.file, directives: [] }, user) };
  },
  'a process with the rights of the server’s user': () => {
    const place = makeConf(user);
    return { place, files: askedFiles(place.file, place.file) };
  },
  'root’s unit, where the folder is root’s': () => {
    const place = makeConf({ uid: 0, gid: 0 });
    return { place, files: askedFiles(place.file, place.file) };
  },
};

describe.runIf(isRoot).each(Object.entries(ways))('by %s', (_, make) => {
  test('one that is mounted by itself is known, whatever its path', async () => {
    const { place, files } = make();
    const odd = join(place.folder, 'a \\ b.conf');
    writeFileSync(odd, '');
    execFileSync('mount', ['--bind', place.included, odd]);
    onTestFinished(() => void execFileSync('umount', ['--lazy', odd]));
    const seen = await files.look([odd]);
    expect([seen.place(odd).mounted, seen.place(place.included).mounted]).toEqual([true, false]);
  });

  test('reads all that is included, replaces what is as it was, and keeps owner and mode', async () => {
    const { place, files } = make();
    const seen = await files.look();
    const { entries, problems } = resolveConf(place.file, { reader: seen.reader });
    expect(problems).toEqual([]);
    expect(entries.map(({ name }) => name)).toEqual(['port', 'timeout', 'aclfile']);
    expect(seen.real).toBe(place.file);
    const { real, attributes, unwritable, foreignOwner, mounted } = seen.place(place.included);
    expect({ unwritable, foreignOwner, mounted }).toEqual({
      unwritable: undefined,
      foreignOwner: undefined,
      mounted: false,
    });
    const before = sha256Of(Buffer.from('timeout 7\n'));
    expect(await files.hash(real)).toBe(before);
    await files.replace(real, Buffer.from('timeout 8\n'), attributes, before);
    expect(readFileSync(place.included, 'utf8')).toBe('timeout 8\n');
    const { mode, uid, gid } = statSync(place.included);
    expect([mode & 0o7777, uid, gid]).toEqual([0o640, place.owner.uid, user.gid]);
    await expect(files.replace(real, Buffer.from('x'), attributes, before)).rejects.toMatchObject({
      reason: 'edited',
    });
    expect(readFileSync(place.included, 'utf8')).toBe('timeout 8\n');
  });

  test('keeps notes beside it, which only whoever writes there can read', async () => {
    const { place, files } = make();
    const journals = await files.journals();
    expect(await journals.read()).toBeUndefined();
    await journals.write(journal);
    await journals.keep(journal.token, 0, Buffer.from('kept'));
    expect(await journals.read()).toEqual(journal);
    expect(Buffer.from(await journals.kept(journal.token, 0)).toString()).toBe('kept');
    await journals.archive({ ...journal, outcome: 'done' });
    expect(await journals.read()).toBeUndefined();
    expect(await journals.closed()).toMatchObject([{ token: journal.token, outcome: 'done' }]);
    const { mode, uid } = statSync(join(place.folder, '.redis-agent-harden'));
    expect([mode & 0o777, uid]).toEqual([0o700, place.owner.uid]);
    for (const token of ['../../x', '..', ''])
      await expect(journals.keep(token, 0, Buffer.from('x'))).rejects.toMatchObject({ reason: 'journal' });
  });

  test('starts the server’s program with it as the server’s user', async () => {
    const { files, place } = make();
    const { entries } = resolveConf(place.file, { reader: (await files.look()).reader });
    const scratch = makeTempFolder();
    onTestFinished(() => removeTempFolder(scratch));
    chmodSync(scratch, 0o711);
    const booted = await files.boot({
      program: { path: defaultBuild().server, argv0: 'redis-server' },
      entries,
      aclfile: undefined,
      tls: false,
      directory: join(scratch, 'x'),
      clock: systemClock,
      signal: new AbortController().signal,
    });
    expect(booted.config.get('timeout')).toBe('7');
    const wrong = entries.map((entry) =>
      entry.name === 'timeout' ? { ...entry, place: undefined, values: ['nonsense'] } : entry,
    );
    await expect(
      files.boot({
        program: { path: defaultBuild().server, argv0: 'redis-server' },
        entries: wrong,
        aclfile: undefined,
        tls: false,
        directory: join(scratch, 'x'),
        clock: systemClock,
        signal: new AbortController().signal,
      }),
    ).rejects.toMatchObject({ code: 'refused', reason: 'boot' });
  });
});

describe.runIf(isRoot)('root’s unit', () => {
  const verbsOf = (file: string | undefined) => rootFileVerbs(() => Promise.resolve(file));
  const attributes = { mode: 0o4777, uid: 0, gid: 0 };
  const bytes = Buffer.from('#!/bin/sh\n');

  test('changes nothing where the folder is the server’s', async () => {
    const { file, included } = makeConf(user);
    expect(await verbsOf(file).confPlaces('main')).toEqual([]);
    for (const path of [file, included])
      await expect(
        verbsOf(file).confReplace('main', path, attributes, sha256Of(readFileSync(path)), bytes),
      ).rejects.toMatchObject({ code: 'refused' });
    await expect(verbsOf(file).journalWrite('main', journal)).rejects.toMatchObject({ code: 'refused' });
    await expect(verbsOf(undefined).journalWrite('main', journal)).rejects.toMatchObject({ code: 'refused' });
  });

  test('is led to nothing else by a name, a link or an include', async () => {
    const { folder, file, included } = makeConf({ uid: 0, gid: 0 });
    const elsewhere = makeTempFolder();
    onTestFinished(() => removeTempFolder(elsewhere));
    const precious = join(elsewhere, 'precious.conf');
    writeFileSync(precious, 'precious\n', { mode: 0o644 });
    symlinkSync(precious, join(folder, 'link.conf'));
    writeFileSync(join(folder, 'script'), 'script\n');
    mkdirSync(join(folder, 'sub'));
    linkSync(precious, join(folder, 'sub', 'hard.conf'));
    writeFileSync(file, `include ${precious}\ninclude ${folder}/link.conf\n`);
    const verbs = verbsOf(file);
    expect((await verbs.confPlaces('main')).map(({ path }) => path)).toEqual([file]);
    const names = [
      precious,
      join(folder, 'link.conf'),
      join(folder, 'script'),
      join(folder, 'sub', 'hard.conf'),
      `${folder}/sub/../more.conf`,
    ];
    for (const path of names)
      await expect(
        verbs.confReplace('main', path, attributes, sha256Of(readFileSync(path)), bytes),
      ).rejects.toMatchObject({ code: 'refused' });
    expect(readFileSync(precious, 'utf8')).toBe('precious\n');
    await expect(verbs.confHash('main', '/etc/shadow')).rejects.toMatchObject({ code: 'refused' });
    // No mode and no owner that it is told.
    await verbs.confReplace('main', included, attributes, sha256Of(readFileSync(included)), bytes);
    expect(statSync(included).mode & 0o7777).toBe(0o640);
    expect(statSync(included).gid).toBe(user.gid);
    await verbs.journalWrite('main', journal);
    const token = '../../../sub/x';
    await expect(verbs.journalKeep('main', token, 0, bytes)).rejects.toMatchObject({ reason: 'journal' });
    await expect(verbs.journalArchive('main', { ...journal, token })).rejects.toMatchObject({
      reason: 'journal',
    });
    await verbs.journalKeep('main', journal.token, '../../../sub/y', bytes);
    expect(existsSync(join(folder, 'sub', 'y.before'))).toBe(false);
  });
});

test.runIf(isRoot)('a process of the server’s user that answers nonsense is told so', async () => {
  for (const answer of [
    undefined,
    'x',
    Buffer.from('{'),
    Buffer.from('{"real":"/x","files":[{}],"globs":1}'),
  ]) {
    const files = askedServerFiles(
      { file: '/x', directives: [] },
      { hands: () => Promise.resolve(answer), root: () => Promise.resolve([]) },
    );
    await expect(files.look()).rejects.toMatchObject({ reason: 'hands' });
    const journals = await files.journals();
    await expect(journals.read()).rejects.toMatchObject({ reason: 'journal' });
  }
});
