import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { oddDumps } from '../../support/rdb/odd-dumps.ts';
import { rdbOf } from '../../support/rdb/rdb.ts';
import { findBuild, startServer } from '../../support/servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const set = '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n';
const base = 'file appendonly.aof.1.base.aof seq 1 type b\n';
const incr = 'file appendonly.aof.1.incr.aof seq 1 type i\n';
const whole = { 'appendonly.aof.1.base.aof': set, 'appendonly.aof.1.incr.aof': set };

interface OddSet {
  /** In the folder of the append only file; those whose names begin with `../` beside it. */
  files: Record<string, string | Buffer>;
  code: number;
  verdict: string;
  /** Among what is worth knowing. */
  says?: RegExp;
  /** Does a server start with it? */
  starts: boolean;
}

const sets: Record<string, OddSet> = {
  'a comment of 1025 bytes': {
    files: { ...whole, 'appendonly.aof.manifest': `#${'x'.repeat(1024)}\n${base}${incr}` },
    code: 6,
    verdict: 'sequence',
    starts: false,
  },
  'a comment of 1024 bytes with its line break': {
    files: { ...whole, 'appendonly.aof.manifest': `#${'x'.repeat(1022)}\n${base}${incr}` },
    code: 0,
    verdict: 'ok',
    starts: true,
  },
  'a long comment without a line break at the end': {
    files: { ...whole, 'appendonly.aof.manifest': `${base}${incr}#${'x'.repeat(1300)}` },
    code: 6,
    verdict: 'sequence',
    starts: false,
  },
  'a short comment without a line break at the end': {
    files: { ...whole, 'appendonly.aof.manifest': `${base}${incr}# seen` },
    code: 0,
    verdict: 'ok',
    starts: true,
  },
  'what a crash leaves': {
    files: {
      ...whole,
      'appendonly.aof.manifest': `${base}${incr}`,
      'temp-appendonly.aof.manifest': 'x',
      'temp-rewriteaof-1.aof': 'x',
    },
    code: 0,
    verdict: 'ok',
    starts: true,
  },
  'an upgrade that was cut off': {
    files: { 'appendonly.aof.manifest': 'file appendonly.aof seq 1 type b\n', '../appendonly.aof': set },
    code: 0,
    verdict: 'ok',
    starts: true,
  },
  'an upgrade that was cut off before its manifest': {
    files: { '../appendonly.aof': set },
    code: 0,
    verdict: 'ok',
    starts: true,
  },
  'a base with a key twice': {
    files: {
      'appendonly.aof.1.base.rdb': oddDumps['a key twice']!.bytes,
      'appendonly.aof.1.incr.aof': set,
      'appendonly.aof.manifest': `${base.replace('base.aof', 'base.rdb')}${incr}`,
    },
    code: 6,
    verdict: 'corrupt',
    starts: false,
  },
  'a base of a newer version': {
    files: {
      'appendonly.aof.1.base.rdb': rdbOf(Buffer.from('\0\x01a\x01b', 'latin1'), 'REDIS0099'),
      'appendonly.aof.1.incr.aof': set,
      'appendonly.aof.manifest': `${base.replace('base.aof', 'base.rdb')}${incr}`,
    },
    code: 3,
    verdict: 'unknown',
    starts: false,
  },
  'a base with an empty list': {
    files: {
      'appendonly.aof.1.base.rdb': oddDumps['an empty list beside a key']!.bytes,
      'appendonly.aof.1.incr.aof': set,
      'appendonly.aof.manifest': `${base.replace('base.aof', 'base.rdb')}${incr}`,
    },
    code: 0,
    verdict: 'ok',
    says: /^info: .*"l" is without any element: servers leave it out/,
    starts: true,
  },
  'a base that selects database 20': {
    files: {
      'appendonly.aof.1.base.rdb': oddDumps['a high database without keys']!.bytes,
      'appendonly.aof.1.incr.aof': set,
      'appendonly.aof.manifest': `${base.replace('base.aof', 'base.rdb')}${incr}`,
    },
    code: 0,
    verdict: 'ok',
    says: /^info: .*selects database 20: a server with fewer databases does not load it/,
    starts: false,
  },
  'a command of 2147483648 arguments': {
    files: {
      'appendonly.aof.1.incr.aof': `${set}*2147483648\r\n$3\r\nset\r\n`,
      'appendonly.aof.manifest': incr,
    },
    code: 6,
    verdict: 'corrupt',
    starts: false,
  },
};

const build = findBuild('redis', '7.0');

function lay(dir: string, files: OddSet['files']): string {
  const folder = join(dir, 'appendonlydir');
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

describe.for(Object.entries(sets))('%s', ([, { files, code, verdict, says, starts }]) => {
  test('has the right verdict', async () => {
    const dir = makeTempFolder();
    onTestFinished(() => removeTempFolder(dir));
    const found = await runAgent(['aof', 'check', lay(dir, files), '--json']);
    expect({ code: found.code, verdict: found.json.verdict }).toEqual({ code, verdict });
    const notes: { severity: string; summary: string }[] = found.json.problems;
    expect(notes.map(({ severity, summary }) => `${severity}: ${summary}`).join('\n')).toMatch(says ?? /^/);
  });

  test.skipIf(build === undefined)('which a server agrees with', async () => {
    const server = await startServer({ build: build! });
    await server.call('CONFIG', 'REWRITE');
    await server.kill('SIGKILL');
    lay(server.dir, files);
    writeFileSync(server.configFile, 'appendonly yes\n', { flag: 'a' });
    const found = await server.restart().then(
      () => server.call('EXISTS', 'k'),
      () => 'did not start',
    );
    expect(found).toBe(starts ? 1 : 'did not start');
  });
});

test('a base that this host’s server is too old for stays unknown when it is to be loaded', async () => {
  const dir = makeTempFolder();
  onTestFinished(() => removeTempFolder(dir));
  const folder = lay(dir, sets['a base of a newer version']!.files);
  expect(await runAgent(['aof', 'check', folder, '--deep', '--json'])).toMatchObject({
    code: 3,
    json: {
      verdict: 'unknown',
      load: { ok: null, summary: expect.stringMatching(/^not loaded: .*cannot load RDB version 99/) },
    },
  });
});

test('commands that no server knows are found by running them, and only so', async () => {
  const dir = makeTempFolder();
  onTestFinished(() => removeTempFolder(dir));
  const unknown = `${set}*1\r\n$7\r\nNOSUCHC\r\n`;
  const folder = lay(dir, { 'appendonly.aof.1.incr.aof': unknown, 'appendonly.aof.manifest': incr });
  expect(await runAgent(['aof', 'check', folder])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/commands, which are not run/),
  });
  // Nobody says whose it is: what this host has is asked, and every known server's table.
  const deep = await runAgent(['aof', 'check', folder, '--deep', '--json']);
  expect(deep).toMatchObject({ code: 6, json: { verdict: 'corrupt', load: { ok: false } } });
  const arity = `${set}*2\r\n$3\r\nset\r\n$1\r\na\r\n`;
  writeFileSync(join(folder, 'appendonly.aof.1.incr.aof'), arity);
  const fewer = await runAgent(['aof', 'check', folder, '--deep']);
  expect(fewer).toMatchObject({
    code: 6,
    stdout: expect.stringContaining('with another number of arguments than servers take (set)'),
  });
});

test('one file of a set that has lost its manifest is not taken for an append only file', async () => {
  const server = await startServer();
  const config = writeConfig({ server });
  const dump = rdbOf(Buffer.from([0, 1, 0x6b, 1, 0x76]));
  const folder = lay(config.folder, {
    'appendonly.aof.1.base.rdb': dump,
    'appendonly.aof.1.incr.aof': set,
  });
  const lost =
    /appendonly\.aof\.1\.(?:base\.rdb|incr\.aof) in .* is part of a set, .*; find that, or write it/;
  for (const words of [
    ['aof', 'check', folder],
    ['restore', folder, '--yes', '--method', 'files'],
  ])
    expect(await runAgent(words, { config })).toMatchObject({ code: 1, stderr: expect.stringMatching(lost) });
  const part = join(folder, 'appendonly.aof.1.incr.aof');
  expect(await runAgent(['restore', part, '--yes', '--method', 'files'], { config })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is one file of a set'),
  });
  expect(await runAgent(['aof', 'check', part], { config })).toMatchObject({ code: 0 });
  // As it says to write it.
  writeFileSync(
    join(folder, 'appendonly.aof.manifest'),
    'file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n',
  );
  expect(await runAgent(['aof', 'check', folder, '--deep'], { config })).toMatchObject({ code: 0 });
});

test('what is said of a set that lies somewhere names it: typed as it stands it is of no other', async () => {
  const dir = makeTempFolder();
  onTestFinished(() => removeTempFolder(dir));
  const folder = lay(dir, {
    ...whole,
    'appendonly.aof.1.base.aof': 'x',
    'appendonly.aof.manifest': `${base}${incr}`,
  });
  expect(await runAgent(['aof', 'check', folder])).toMatchObject({
    code: 6,
    stdout: expect.stringContaining(`redis-agent aof check ${folder} --fix --to DIR`),
  });
});
