import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { applyRules } from '../../../src/formats/acl/apply-rules.ts';
import { mayRun } from '../../../src/formats/acl/user.ts';
import type { EngineVersion } from '../../../src/formats/conf/engine.ts';
import type { AuditReport } from '../../../src/harden/audit/report.ts';
import { sha256 } from '../../../src/harden/read/hash.ts';
import { readDryrun } from '../../../src/harden/read/read-dryrun.ts';
import { junitFaults, sarifFaults } from '../../support/house/documents.ts';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { edgeBuilds, findBuild, serverBuilds, startServer } from '../../support/servers/redis-server.ts';
import { savePointsOfNone } from '../../../src/formats/conf/values.ts';
import { manageServer } from '../../support/servers/managed-server.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const rulesOf = (report: AuditReport): string[] => report.findings.map(({ rule }) => rule);

function folder(): string {
  const made = makeTempFolder();
  onTestFinished(() => removeTempFolder(made));
  return made;
}

describe.each(serverBuilds().filter(({ version }) => !version.startsWith('6.')))('$name', (build) => {
  test('the server’s own judgement of rights and ours agree', async () => {
    const server = await startServer({ build });
    const engine: EngineVersion = { engine: build.engine, version: build.version, docker: false };
    const users: Record<string, string> = {
      everything: 'on nopass ~* &* +@all',
      nothing: 'on nopass',
      denied: 'on nopass ~* +@all -@admin -@dangerous +info',
      forgot: 'on nopass ~* +@all -eval -eval_ro -evalsha_ro -config -acl',
      reader: 'on nopass ~a:* +@read +@connection -keys',
      selector: 'on nopass (+@write ~b:*) +config|get -config|set',
      turned: 'on nopass -@dangerous +@all -@scripting +script|kill',
    };
    for (const [name, rules] of Object.entries(users))
      await server.call('ACL', 'SETUSER', name, ...rules.split(/ (?![^(]*\))/));
    const asked = await readDryrun(server.connection, Object.keys(users));
    const apart: string[] = [];
    for (const [name, rights] of asked) {
      const { user } = applyRules(name, (users[name] ?? '').split(' '), { engine, hash: sha256 });
      for (const [command, may] of rights)
        if (mayRun(user, command) !== may) apart.push(`${name} ${command} ${may}`);
      expect(rights.size).toBeGreaterThan(35);
    }
    expect(apart).toEqual([]);
  });
});

test('an aclfile without a line for default is an open server, and that was tried', async () => {
  const build = findBuild('redis', '7.0');
  if (build === undefined) return;
  const aclfile = join(folder(), 'users.acl');
  writeFileSync(aclfile, 'user agent on nopass -@all +ping +info +time +config|get +acl|list +acl|dryrun\n');
  const server = await startServer({ build, config: { aclfile, requirepass: 'a-long-and-random-secret' } });
  const config = writeConfig({ server, username: 'agent', password: 'whatever-it-is' });
  const { code, json } = await runAgent(['audit', '--json'], { config });
  expect(code).toBe(3);
  const [report] = json.reports;
  const finding = report.findings.find(({ rule }: { rule: string }) => rule === 'ACL02');
  expect(finding).toMatchObject({ severity: 'critical', evidence: { unauthenticated: 'pong' } });
  expect(rulesOf(report)).not.toContain('ACL01');
  // Recorded, and compared with the next.
  const again = await runAgent(['audit', '--json'], { config });
  expect(again.json.reports[0].since).toMatchObject({ opened: [], closed: [] });
});

test('with few rights it says what is missing, and passes nothing that it has not seen', async () => {
  const server = await startServer();
  await server.call(
    'ACL',
    'SETUSER',
    'agent',
    'on',
    '>a-long-and-random-secret',
    '-@all',
    '+ping',
    '+info',
    '+time',
  );
  const config = writeConfig({ server, username: 'agent', password: 'a-long-and-random-secret' });
  const { json } = await runAgent(['audit', '--json'], { config });
  const [report] = json.reports;
  expect(report.unknown.map(({ missing }: { missing: string }) => missing)).toEqual(
    expect.arrayContaining([expect.stringContaining('ACL SETUSER agent +config|get')]),
  );
  expect(report.passed).not.toContain('NET01');
});

test('a lossy default user: commands are lost at the restart, and both traces are told', async () => {
  const build = findBuild('redis', '7.0');
  if (build === undefined) return;
  const server = await startServer({
    build,
    config: {
      appendonly: 'yes',
      appendfsync: 'always',
      user: [
        'agent on nopass ~* &* +@all',
        'default on nopass ~* &* +@all -debug -eval -multi -exec -set -incr',
      ],
    },
    auth: { username: 'agent', password: 'a-long-and-random-secret' },
  });
  await server.call('SET', 'plain', '1');
  for (let at = 0; at < 20; at++)
    await server.call(
      'EVAL',
      "redis.call('SET', KEYS[1], 1) redis.call('INCR', KEYS[2])",
      2,
      `s${at}`,
      `i${at}`,
    );
  expect(await server.call('DBSIZE')).toBe(41);
  await server.restart();
  expect(Number(await server.call('DBSIZE'))).toBeLessThan(41);
  const config = writeConfig({ server, username: 'agent', password: 'a-long-and-random-secret' });
  const { json } = await runAgent(['audit', '--json', '--check', 'ACL05', '--check', 'PER07'], { config });
  expect(rulesOf(json.reports[0])).toEqual(['ACL05', 'PER07']);
});

const bare = ['ACL01 high', 'ACL18 warning', 'CFG10 warning'];
/** As each was verified at the server that was started with that file: docs/audit.md. */
const stockFindings: Readonly<Record<string, readonly string[]>> = {
  'redis 6.0': [...bare, 'CFG04 critical', 'VER02 high'],
  'redis 7.0': [...bare, 'VER02 high'],
  'redis 8.0': [...bare, 'CFG16 info', 'VER02 high'],
  'valkey 8.1': bare,
  'valkey 9.1': bare,
};
const stockFile = ({ server }: { server: string }): string =>
  server.startsWith('/usr/bin/') ? '/etc/redis/redis.conf' : join(dirname(server), '../../stock.conf');

test.each(serverBuilds().filter((build) => existsSync(stockFile(build))))(
  '$name: of the file that its package comes with just what is wrong is told',
  async (build) => {
    const line = `${build.engine} ${build.version.split('.').slice(0, 2).join('.')}`;
    const file = ['--conf', stockFile(build), '--engine', line.replace(' ', '-')];
    const { json } = await runAgent(['audit', ...file, '--json']);
    const report: AuditReport = json.reports[0];
    expect(report.findings.map(({ rule, severity }) => `${rule} ${severity}`).toSorted()).toEqual(
      stockFindings[line]?.toSorted(),
    );
    expect(report.unknown).toEqual([]);
    // And they are so: it runs with what the file says, as far as that is no place.
    const server = await startServer({ build, config: { maxmemory: '0' } });
    expect(await server.call('PING')).toBe('PONG');
    expect(await server.call('ACL', 'LIST')).toHaveLength(1);
    const moved = await server.call('CONFIG', 'SET', 'dir', server.dir).then(
      () => true,
      () => false,
    );
    expect(moved).toBe(stockFindings[line]?.includes('CFG04 critical'));
  },
);

test.each([
  ['a folder', (at: string) => mkdirSync(at), 'it is a folder'],
  ['a link to nothing', (at: string) => symlinkSync('/nowhere', at), 'it does not exist'],
  ['a binary file', (at: string) => writeFileSync(at, Buffer.from([1, 0, 2])), 'it is no text'],
  ['nothing', () => undefined, 'it does not exist'],
  ['YAML without a server', (at: string) => writeFileSync(at, 'a: b\n'), 'no command of redis-server'],
])('%s for a file is one line and status 2', async (_what, make, said) => {
  const at = join(folder(), said.startsWith('no command') ? 'x.yaml' : 'x.conf');
  make(at);
  const { code, stderr } = await runAgent(['audit', '--conf', at]);
  expect(code).toBe(2);
  expect(stderr).toContain(said);
  expect(stderr).not.toContain(' at ');
});

test('includes that go in a circle, compose, stdin, and the mended file', async () => {
  const at = folder();
  writeFileSync(join(at, 'a.conf'), 'include b.conf\nport 1 # x\n');
  writeFileSync(join(at, 'b.conf'), 'include a.conf\n');
  const circle = await runAgent(['audit', '--conf', join(at, 'a.conf'), '--engine', 'redis-7.0', '--json']);
  expect(JSON.stringify(circle.json)).toContain('files include one another');

  const compose = join(at, 'compose.yaml');
  writeFileSync(
    compose,
    'services:\n  cache:\n    image: redis:7.2-alpine\n    command: redis-server --requirepass $$(cat /run/secrets/x) --maxmemory 80%\n',
  );
  const { json } = await runAgent(['audit', '--conf', compose, '--json']);
  expect(json.reports[0]).toMatchObject({
    subject: `${compose} (service cache)`,
    engine: 'redis 7.2 (container image)',
  });
  expect(rulesOf(json.reports[0])).toEqual(expect.arrayContaining(['SEC01', 'CFG14', 'NET03', 'NET08']));
  // In the file itself, where the option begins.
  const placesOf = (report: AuditReport): unknown[] =>
    report.findings.map(({ rule, place }) => [rule, place]);
  expect(placesOf(json.reports[0])).toContainEqual(['CFG14', { file: compose, line: 4, column: 66 }]);
  const values = join(at, 'values.yaml');
  writeFileSync(values, 'master:\n  configuration: |-\n    port 7000\n\n    timeout nope\n');
  const helm = await runAgent(['audit', '--conf', values, '--json']);
  expect(placesOf(helm.json.reports[0])).toContainEqual(['CFG14', { file: values, line: 5, column: 13 }]);

  const input = Buffer.from('port 1 # x\n');
  const preview = await runAgent(['audit', '-', '--engine', 'redis-7.0', '--fix-preview'], {
    input,
  });
  expect([preview.code, preview.stdout]).toEqual([0, '# x\nport 1\n']);
});

test.each([
  ['/dev/stdout', 'no regular file'],
  ['/dev/fd/1', 'no regular file'],
  ['/dev/null', 'no regular file'],
  ['/dev', 'a folder'],
])(
  '--out %s is refused before anything is done: no file takes the place of a link or device',
  async (out, what) => {
    const inode = lstatSync(out).ino;
    const { code, stderr } = await runAgent(['audit', '--conf', join(folder(), 'gone.conf'), '--out', out]);
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`cannot write ${out}: it is ${what}`),
    });
    expect(lstatSync(out).ino).toBe(inode);
  },
);

test('SARIF, JUnit and HTML: whole documents, and no name breaks out of them', async () => {
  const at = folder();
  const conf = join(at, 'x.conf');
  writeFileSync(conf, 'user <script>alert(1)</script>& on nopass +get\nnope 1\n');
  const as = async (format: string): Promise<string> => {
    const out = join(at, `out.${format}`);
    const { code } = await runAgent([
      'audit',
      '--conf',
      conf,
      '--engine',
      'redis-7.0',
      '--format',
      format,
      '--out',
      out,
    ]);
    expect(code).toBe(3);
    return readFileSync(out, 'utf8');
  };
  const sarif = JSON.parse(await as('sarif'));
  expect(sarif.version).toBe('2.1.0');
  const { results, tool } = sarif.runs[0];
  for (const result of results) expect(tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId);
  expect(
    results.findLast(({ ruleId }: { ruleId: string }) => ruleId === 'CFG14').locations[0].physicalLocation
      .region,
  ).toEqual({
    startLine: 2,
    startColumn: 1,
  });
  for (const text of [await as('html'), await as('junit')]) {
    expect(text).not.toContain('<script>');
    expect(text).toContain('&lt;script&gt;');
  }
  expect(await as('html')).toContain("default-src 'none'");
  // By the standard's schema, and by ours of JUnit's documentation; both find what is wrong.
  expect(sarifFaults(sarif)).toEqual([]);
  expect(sarifFaults({ ...sarif, runs: [{ results: [{}] }] })).not.toEqual([]);
  const junit = await as('junit');
  expect(junitFaults(junit)).toBe('');
  expect(junitFaults(junit.replace('tests=', 'test='))).toContain('tests');
});

test('SARIF and JUnit of a server: with what is waived and what is unknown', async () => {
  const server = await startServer();
  const config = writeConfig({
    server,
    settings: {
      audit: {
        waivers: [
          {
            rule: 'ACL01',
            resource: 'default',
            reason: 'a <test> & "more"',
            author: 'kim',
            until: '2099-01-01',
          },
        ],
      },
    },
  });
  const as = async (format: string): Promise<string> =>
    (await runAgent(['audit', '--format', format, '--fail-on', 'critical'], { config })).stdout;
  const sarif = JSON.parse(await as('sarif'));
  expect(sarifFaults(sarif)).toEqual([]);
  expect(JSON.stringify(sarif)).toContain('"suppressions"');
  const junit = await as('junit');
  expect(junitFaults(junit)).toBe('');
  expect(junit).toContain('<skipped message="waived"/>');
  expect(junit).toContain('unknown: ');
});

test('a server that cannot be looked at is said, keeps nobody from the others, and decides the exit status', async () => {
  const server = await startServer();
  const mute = await startServer({ config: { 'rename-command': 'INFO ""' } });
  const config = writeConfig({
    instances: [
      { name: 'mute', url: mute.url },
      { name: 'open', url: server.url },
    ],
  });
  const said = await runAgent(['audit', '--json'], { config });
  expect(said.json.reports.map(({ subject }: AuditReport) => subject)).toEqual(['open']);
  expect(said.json.not_audited).toEqual([
    { subject: 'mute', problem: expect.stringContaining('INFO: the server does not know this command') },
  ]);
  expect(said).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(/^not audited: instance mute: INFO/m),
  });
  const page = await runAgent(['audit', '--format', 'html'], { config });
  expect(page).toMatchObject({ code: 4, stdout: expect.stringContaining('Audit of open') });
  const alone = await runAgent(['audit', '--instance', 'mute'], { config });
  expect(alone).toMatchObject({ code: 4, stdout: '' });
});

test('users that differ between nodes of the same data are told, on each of them', async () => {
  const master = await startServer();
  const replica = await startServer({ build: master.build });
  await replica.call('REPLICAOF', '127.0.0.1', master.port);
  for (;;) if (String(await replica.call('INFO', 'replication')).includes('master_link_status:up')) break;
  const config = writeConfig({
    instances: [
      { name: 'one', url: master.url },
      { name: 'two', url: replica.url },
      { name: 'elsewhere', url: (await startServer()).url },
    ],
  });
  for (const server of [master, replica])
    await server.call('ACL', 'SETUSER', 'same', 'on', `#${sha256('x'.repeat(40))}`, '~*', '+get');
  await master.call('ACL', 'SETUSER', 'app', 'on', `#${sha256('y'.repeat(40))}`, '~*', '+get');
  const { json } = await runAgent(['audit', '--check', 'ACL23', '--json'], { config });
  const of = (report: AuditReport): unknown[] => [
    report.subject,
    report.findings.map(({ resource, summary }) => `${resource}: ${summary}`),
    report.not_applicable.map(({ rule }) => rule),
  ];
  expect(json.reports.map(of)).toEqual([
    ['one', ['app: the user app is not the same on two: there is none'], []],
    ['two', ['app: the user app is not the same on one: it is there alone'], []],
    ['elsewhere', [], ['ACL23']],
  ]);
});

test('a user to whom the configuration gives a profile of staff is no application', async () => {
  const server = await startServer();
  await server.call(
    'ACL',
    'SETUSER',
    'watcher',
    'on',
    '>a-long-and-random-secret',
    '~*',
    '+slaveof',
    '+ping',
  );
  const found = async (harden: object): Promise<string[]> => {
    const config = writeConfig({ server, settings: { harden } });
    const { json } = await runAgent(['audit', '--json'], { config });
    return json.reports[0].findings.flatMap(({ rule, resource }: { rule: string; resource: string }) =>
      resource === 'watcher' ? rule : [],
    );
  };
  expect(await found({})).toContain('ACL08');
  expect(await found({ acl: { watcher: { profile: 'cache' } } })).toContain('ACL08');
  expect(await found({ acl: { watcher: { profile: 'sentinel' } } })).not.toContain('ACL08');
});

test.each(edgeBuilds())(
  '$name without a save line in its file: what holds is what is said of it',
  async (build) => {
    const server = await manageServer({ build, down: true });
    const text = readFileSync(server.configFile, 'utf8').replaceAll(/^save .*\n/gm, '');
    writeFileSync(server.configFile, text);
    await server.start();
    const [engine, version = ''] = build.name.split('-');
    const known = {
      engine: engine === 'valkey' ? ('valkey' as const) : ('redis' as const),
      version,
      docker: false,
    };
    const [, runs] = [await server.call('CONFIG', 'GET', 'save')].flat();
    expect(savePointsOfNone(known)).toBe(runs);
    const { json } = await runAgent([
      'audit',
      server.configFile,
      '--engine',
      build.name,
      '--check',
      'PER01',
      '--json',
    ]);
    const found = json.reports[0].findings.map(({ rule }: { rule: string }) => rule);
    expect(found).toEqual(runs === '' ? ['PER01'] : []);
  },
);
