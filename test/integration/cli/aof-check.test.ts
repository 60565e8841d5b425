import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  aofFolder,
  aofNames,
  growingFile,
  rewriteAof,
  startAofServer,
  untilRewritten,
} from '../../support/data/aof.ts';
import { canBeNobody, runAgent, spawnAgent, writeConfig } from '../../support/agent/cli.ts';
import { findBuild, edgeBuilds, startServer } from '../../support/servers/redis-server.ts';
import { resp } from '../../support/data/resp.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const check = ['aof', 'check', '--json'];
const single = edgeBuilds().filter(({ version }) => Number.parseInt(version, 10) < 7);
const multi = edgeBuilds().filter(({ version }) => Number.parseInt(version, 10) >= 7);

function tempFolder(): string {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  return folder;
}

describe.for(edgeBuilds().map((build) => [build.name, build] as const))('%s', ([, build]) => {
  const tool = `${build.engine}-check-aof`;
  const isBlind = build.engine === 'valkey' && Number.parseInt(build.version, 10) >= 9;

  test('a sound AOF, all of it and then only what is new', async () => {
    const server = await startAofServer(build);
    const config = writeConfig({ server });
    for (let i = 0; i < 50; i++) await server.call('SET', `key:${i}`, 'v\r\n#TS:1\r\n');
    await rewriteAof(server);
    await server.call('SET', 'after', '1');
    const before = aofNames(server);
    const full = await runAgent(check, { config });
    expect({ code: full.code, json: full.json }).toMatchObject({
      code: 0,
      json: { instance: 'main', verdict: 'ok', problems: [], cuts: [] },
    });
    expect(full.json.tool.ok).toBe(isBlind ? null : true);
    expect(full.json.tool.summary).toMatch(isBlind ? /not valid.*; not believed: / : `${tool}: valid`);
    expect(full.json.files[0]).toMatchObject({ rdb_keys: 50, read_from: 0, state: 'ok' });
    await server.call('SET', 'more', '1');
    const quick = await runAgent([...check, '--quick'], { config });
    expect(quick.json).toMatchObject({ verdict: 'ok', tool: null });
    for (const [index, file] of quick.json.files.entries()) {
      expect(file.read_from).toBe(full.json.files[index].sound_bytes);
      expect(file.sound_bytes).toBe(file.bytes);
    }
    expect(quick.json.files.at(-1).commands).toBe(full.json.files.at(-1).commands + 1);
    expect(aofNames(server)).toEqual(before);
    expect(readdirSync(join(config.state, 'scratch'))).toEqual([]);
  });

  test('a torn tail that the server loads: what it takes, and a fixed copy that a server serves', async () => {
    const server = await startAofServer(build);
    const config = writeConfig({ server });
    await server.call('SET', 'a', '1');
    await server.kill('SIGKILL');
    const path = growingFile(server);
    const whole = readFileSync(path);
    const tail = Buffer.concat([resp(['MULTI'], ['INCR', 'a']), resp(['SET', 'b', 'text']).subarray(0, 25)]);
    appendFileSync(path, tail);
    const target = build.version.startsWith('6') ? path : aofFolder(server);
    const to = join(tempFolder(), 'repaired');
    const { code, json } = await runAgent([...check, target, '--fix', '--to', to]);
    expect({ code, json }).toMatchObject({
      code: 3,
      json: {
        instance: null,
        verdict: 'torn',
        problems: [{ verdict: 'torn', severity: 'warning', file: basename(path) }],
        cuts: [{ offset: whole.length, bytes: tail.length, complete: 2, behind: 0 }],
        fixed: { folder: to, dropped: [] },
      },
    });
    expect(json.cuts[0].commands).toEqual(['MULTI', 'INCR a', expect.stringMatching(/^SET b/)]);
    expect(readFileSync(path)).toEqual(Buffer.concat([whole, tail]));
    expect(readFileSync(join(to, basename(path)))).toEqual(whole);
    expect(
      await runAgent([...check, build.version.startsWith('6') ? join(to, basename(path)) : to]),
    ).toMatchObject({
      code: 0,
      json: { verdict: 'ok' },
    });
    // What a start makes of the original is what was said.
    writeFileSync(path, Buffer.concat([whole, resp(['MULTI'], ['INCR', 'a'])]));
    await server.restart();
    expect(await server.call('GET', 'a')).toBe('1');
    expect(readFileSync(path)).toEqual(whole);
    expect(await runAgent(check, { config })).toMatchObject({ code: 0, json: { verdict: 'ok' } });
  });

  test('a transaction that a start has left open: what is written behind it is lost, and is told before', async () => {
    const server = await startAofServer(build);
    const config = writeConfig({ server });
    await server.call('SET', 'a', '1');
    await server.kill('SIGKILL');
    const path = growingFile(server);
    const whole = readFileSync(path);
    const tail = Buffer.concat([resp(['MULTI'], ['INCR', 'a']), resp(['SET', 'b', 'text']).subarray(0, 25)]);
    appendFileSync(path, tail);
    await server.restart();
    const keepsOpen = readFileSync(path).length > whole.length;
    expect(keepsOpen).toBe(!isBlind);
    await server.call('SET', 'later', '1');
    const { code, json } = await runAgent(check, { config });
    expect({ code, json }).toMatchObject(
      keepsOpen
        ? {
            code: 3,
            json: { verdict: 'torn', problems: [{ severity: 'critical' }], cuts: [{ complete: 4 }] },
          }
        : { code: 0, json: { verdict: 'ok' } },
    );
    await server.kill('SIGKILL');
    await server.restart();
    expect(await server.call('GET', 'later')).toBe(keepsOpen ? null : '1');
  });

  test('a flipped byte in the framing and one in the RDB: corrupt, and where', async () => {
    const server = await startAofServer(build);
    const config = writeConfig({ server });
    for (let i = 0; i < 20; i++) await server.call('SET', `key:${i}`, 'value');
    await rewriteAof(server);
    for (let i = 0; i < 20; i++) await server.call('SET', `new:${i}`, 'value');
    expect(await runAgent(check, { config })).toMatchObject({ code: 0 });
    await server.kill('SIGKILL');
    const path = growingFile(server);
    const bytes = readFileSync(path);
    const at = bytes.indexOf('new:5\r\n') + 7;
    bytes.write('#', at);
    writeFileSync(path, bytes);
    const target = build.version.startsWith('6') ? path : aofFolder(server);
    const { code, stdout } = await runAgent(['aof', 'check', target]);
    expect(code).toBe(6);
    expect(stdout).toMatch(
      new RegExp(`corrupt at byte ${at}: expected \\$ and the length of an argument, found #`),
    );
    expect(stdout).toMatch(/at least 14 whole commands follow/);
  });
});

describe.for(multi.map((build) => [build.name, build] as const))('multi-part of %s', ([, build]) => {
  test('an incr that is missing, one that no manifest lists, a manifest that cannot be loaded', async () => {
    const server = await startAofServer(build);
    const config = writeConfig({ server });
    await server.call('SET', 'a', '1');
    const folder = aofFolder(server);
    const path = growingFile(server);
    renameSync(path, join(folder, 'appendonly.aof.9.incr.aof'));
    expect(await runAgent(check, { config })).toMatchObject({
      code: 6,
      json: {
        verdict: 'missing',
        problems: [
          { verdict: 'missing', severity: 'critical', file: basename(path) },
          { verdict: 'unexpected', severity: 'warning', file: 'appendonly.aof.9.incr.aof' },
        ],
      },
    });
    const status = await runAgent(['status'], { config });
    expect(status).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('is in the manifest and not there'),
    });
    renameSync(join(folder, 'appendonly.aof.9.incr.aof'), path);
    expect(await runAgent([...check, '--quick'], { config })).toMatchObject({
      code: 0,
      json: { verdict: 'ok' },
    });
    expect((await runAgent(['status'], { config })).stdout).not.toContain('manifest');
    appendFileSync(join(folder, 'appendonly.aof.manifest'), 'file ../x seq 1 type i\n');
    expect(await runAgent([...check, '--quick'], { config })).toMatchObject({
      code: 6,
      json: {
        verdict: 'sequence',
        problems: [{ summary: expect.stringMatching(/line 3: "\.\.\/x" is a path/) }],
      },
    });
  });

  test('every manifest that we refuse, a server refuses, and no other', async () => {
    const server = await startAofServer(build);
    await server.call('SET', 'a', '1');
    await rewriteAof(server);
    await server.kill('SIGKILL');
    const path = join(aofFolder(server), 'appendonly.aof.manifest');
    const sound = readFileSync(path, 'utf8');
    const [base = '', incr = ''] = sound.split('\n');
    const again = async (text: string): Promise<{ verdict: string; starts: boolean }> => {
      writeFileSync(path, text);
      const { json } = await runAgent([...check, path, '--quick']);
      const starts = await server.restart().then(
        () => true,
        () => false,
      );
      if (starts) await server.kill('SIGKILL');
      return { verdict: json.verdict, starts };
    };
    const reversed = `${base}\n${incr.replaceAll(/seq \d+/g, 'seq 9')}\n${incr.replaceAll(/seq \d+/g, 'seq 8')}\n`;
    for (const text of [
      '',
      `${base}\n\n${incr}\n`,
      `${base}\n${incr}`,
      `${base}\n${base}\n`,
      'file a seq 1\n',
      reversed,
    ])
      expect([text, await again(text)]).toEqual([text, { verdict: 'sequence', starts: false }]);
    const odd = `# comment\n${base} unknown 1\n${incr}   \n`;
    expect([odd, await again(odd)]).toEqual([odd, { verdict: 'ok', starts: true }]);
  });

  test('incrs of another base are told by their annotations', async () => {
    const server = await startAofServer(build, { 'aof-timestamp-enabled': 'yes' });
    await server.call('SET', 'a', '1');
    await rewriteAof(server);
    await server.call('INCR', 'a');
    await server.kill('SIGKILL');
    const path = growingFile(server);
    expect(await runAgent([...check, aofFolder(server)])).toMatchObject({ code: 0 });
    const later = readFileSync(path, 'latin1').replaceAll(/#TS:\d+\r\n/g, '');
    writeFileSync(path, `#TS:1600000000\r\n${later}`, 'latin1');
    expect(await runAgent([...check, aofFolder(server)])).toMatchObject({
      code: 6,
      json: { verdict: 'mismatch', problems: [{ summary: expect.stringContaining('a second time') }] },
    });
  });
});

test.for(single.map((build) => [build.name, build] as const))(
  '%s: folder, manifest and file as PATH',
  async ([, build]) => {
    const server = await startAofServer(build);
    await server.call('SET', 'a', '1');
    expect(await runAgent([...check, join(server.dir, 'appendonly.aof')])).toMatchObject({ code: 0 });
    expect(await runAgent([...check, server.dir])).toMatchObject({ code: 0, json: { layout: 'single' } });
    expect(await runAgent(['aof', 'check', tempFolder()])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no AOF manifest in'),
    });
    expect(await runAgent(['aof', 'check', join(server.dir, 'nowhere')])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('it does not exist'),
    });
  },
);

const build = findBuild('redis', '7.0') ?? multi[0];

test.skipIf(build === undefined)('AOF off, and a configuration file that says otherwise', async () => {
  const server = await startServer({ build: build! });
  const config = writeConfig({ server });
  expect(await runAgent(check, { config })).toMatchObject({
    code: 0,
    json: { verdict: 'off', files: [], problems: [] },
  });
  appendFileSync(server.configFile, 'appendonly yes\n');
  expect(await runAgent(check, { config })).toMatchObject({
    code: 3,
    json: {
      verdict: 'config',
      problems: [{ severity: 'critical', summary: expect.stringContaining('begin empty') }],
    },
  });
  // What was said is what happens.
  await server.call('SET', 'a', '1');
  await server.call('SAVE');
  await server.kill('SIGKILL');
  await server.restart();
  expect(await server.call('DBSIZE')).toBe(0);
  // And the safe order.
  await server.call('CONFIG', 'SET', 'appendonly', 'yes');
  await untilRewritten(server);
  expect(await runAgent(check, { config })).toMatchObject({ code: 0, json: { verdict: 'ok' } });
});

test.skipIf(build === undefined)(
  'an AOF that is on without its configuration file, and one that has gone',
  async () => {
    const server = await startServer({ build: build! });
    const config = writeConfig({ server });
    await server.call('CONFIG', 'SET', 'appendonly', 'yes');
    await untilRewritten(server);
    expect(await runAgent(check, { config })).toMatchObject({
      code: 3,
      json: {
        verdict: 'config',
        problems: [{ severity: 'high' }],
        files: [{ state: 'ok' }, { state: 'ok' }],
      },
    });
    rmSync(aofFolder(server), { recursive: true });
    expect(await runAgent(check, { config })).toMatchObject({
      code: 6,
      json: { verdict: 'missing', problems: [{ severity: 'critical' }, { verdict: 'config' }] },
    });
  },
);

test('--fix never writes where something is, and not without --to', async () => {
  const folder = tempFolder();
  const path = join(folder, 'a.aof');
  writeFileSync(path, resp(['SET', 'a', '1']));
  expect(await runAgent(['aof', 'check', path, '--fix'])).toMatchObject({ code: 2 });
  mkdirSync(join(folder, 'full'));
  writeFileSync(join(folder, 'full', 'a.aof'), 'mine');
  expect(await runAgent(['aof', 'check', path, '--fix', '--to', join(folder, 'full')])).toMatchObject({
    code: 7,
  });
  expect(readFileSync(join(folder, 'full', 'a.aof'), 'utf8')).toBe('mine');
  writeFileSync(path, 'rubbish');
  expect(await runAgent(['aof', 'check', path, '--fix', '--to', join(folder, 'new')])).toMatchObject({
    code: 7,
    stderr: expect.stringContaining('nothing of this AOF can be kept'),
  });
  expect(existsSync(join(folder, 'new'))).toBe(false);
});

test.skipIf(!canBeNobody || build === undefined)(
  'an agent that may only read: the AOF is checked, and without that right it says what to do',
  async () => {
    const server = await startAofServer(build!);
    await server.call('SET', 'a', '1');
    const config = writeConfig({ server });
    execFileSync('chown', ['-R', '65534:65534', config.folder]);
    const mode = (files: number, folders: number): void => {
      for (const name of readdirSync(aofFolder(server))) chmodSync(join(aofFolder(server), name), files);
      chmodSync(aofFolder(server), folders);
      chmodSync(server.dir, 0o755);
    };
    mode(0o644, 0o755);
    const read = await spawnAgent(check, { config, nobody: true }).ended;
    expect({ code: read.code, json: read.json }).toMatchObject({
      code: 0,
      json: { verdict: 'ok', tool: { ok: true } },
    });
    mode(0o600, 0o755);
    const denied = await spawnAgent(['aof', 'check'], { config, nobody: true }).ended;
    expect(denied).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /cannot read .*appendonly.aof.manifest: permission denied for nobody.*group/,
      ),
    });
  },
);
