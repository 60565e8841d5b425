import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { loadSettings, parseSettings } from '../../../src/config/load.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { actAsNobody } from '../../support/agent/as-nobody.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const minimal = `instances: [{ name: main, url: "redis://127.0.0.1:6379" }]
repository: { type: filesystem, path: repo }
`;

function folder(): string {
  const path = makeTempFolder();
  onTestFinished(() => removeTempFolder(path));
  return path;
}

async function problemsOf(source: string): Promise<string[]> {
  const error: unknown = await parseSettings(source, '/etc/x.yaml').catch((thrown: unknown) => thrown);
  if (!(error instanceof AgentError)) throw new Error('it was accepted', { cause: error });
  expect(error.code).toBe('usage');
  return error.message.split('\n').map((line) => line.replace('/etc/x.yaml:', ''));
}

it('fills in every default', async () => {
  expect(await parseSettings(minimal, '/etc/x.yaml')).toEqual({
    instances: [{ name: 'main', url: 'redis://127.0.0.1:6379' }],
    repository: {
      type: 'filesystem',
      path: '/etc/repo',
      compression: { zstd: 1 },
      encryption: { age_recipients: [] },
    },
    backup: {
      schedule: '0 */6 * * *',
      jitter: 30_000,
      retention: { days: 7, keep_min: 3, daily: 0, weekly: 0, monthly: 0 },
      shrink_alert: 0.5,
      stale_after: 13 * 3_600_000,
      snapshot_timeout: 3_600_000,
    },
    verify: { schedule: '30 3 * * 0', after_backup: true, load: true, deep: false },
    drill: { schedule: '0 4 1 */3 *', overdue_after: 184 * 24 * 3_600_000 },
    aof: { schedule: '15 * * * *' },
    maintenance: { benchmark: false, password_rotation: 90 * 24 * 3_600_000, tasks: [] },
    audit: { schedule: '0 6 1 */3 *', quiet_schedule: '0 6 1 * *', waivers: [] },
    harden: { acl: {}, allowed_networks: [], close_default: true, drift: '45 * * * *', enforce: false },
    monitor: {
      interval: 15_000,
      slow_command: 10,
      queues: [],
      find_queues: 3_600_000,
      patterns: {},
      thresholds: {},
    },
    alerts: {
      channels: [],
      routes: [],
      digest: null,
      escalation: [],
      windows: [],
      group_wait: 30_000,
      group_interval: 300_000,
      repeat: { critical: 14_400_000, high: 43_200_000, warning: 86_400_000 },
      give_up_after: 86_400_000,
      links: null,
    },
    state: { path: '/var/lib/redis-agent' },
  });
});

it('loads the example', async () => {
  const { settings, path } = await loadSettings('conf/config.example.yaml', { env: {} });
  expect(path).toBe(join(process.cwd(), 'conf/config.example.yaml'));
  expect(settings.instances.map((each) => each.name)).toEqual(['main', 'sessions']);
});

it('reports every problem at its place, in the order of the file', async () => {
  const problems = await problemsOf(`instances:
  - name: Main
    url: redis://:hunter2@host
    pasword: x
  - name: a
    ulr: redis://host
  - name: a
    url: redis://host:99999
    role: queues
repository: { type: s4 }
backup: { schedule: "61 * * * *", jitter: 5, retention: { keepmin: 3 } }
verify:
audits: {}
`);
  expect(problems).toEqual([
    '2:11: instances[0].name: is not a usable name; lower-case letters, digits, - and _, at most 63, first a letter or digit',
    '3:10: instances[0].url: a user or password does not belong in the URL; use username: and password: { file: … }',
    '4:5: instances[0].pasword: unknown key; did you mean password?',
    '5:5: instances[1].url: is missing; it has no default',
    '6:5: instances[1].ulr: unknown key; did you mean url?',
    '7:11: instances[2].name: two instances have this name; give each its own (the other is in line 5)',
    '8:10: instances[2].url: its port is not a number from 1 to 65535; Redis’s own is 6379',
    '9:11: instances[2].role: is not one of cache, queue, session, durable; did you mean queue?',
    '10:21: repository.type: is not one of filesystem, s3; did you mean s3?',
    '11:21: backup.schedule: its minute "61" is wrong; write 0 to 59',
    '11:43: backup.jitter: is not a duration; write 15s, 5m, 6h or 7d',
    '11:59: backup.retention.keepmin: unknown key; did you mean keep_min?',
    '12:1: verify: is empty; it must be a section of keys, or leave the key out',
    '13:1: audits: unknown key; did you mean audit?',
  ]);
});

it.each([
  ['', '1:1: the configuration is empty; it needs at least instances and repository'],
  ['url:redis://x', '1:1: this is not key: value; a space is needed after the colon'],
  ['a: 1\na: 2', '2:1: this key stands here twice; leave one of them out'],
  ['\ta: 1', '1:1: a tab indents this line; use spaces'],
  [
    'a: *b',
    '1:1: an alias (*name) has no anchor (&name) before it; put the text in quotes if it begins with *',
  ],
  ['a: !!binary aGk=', '1:4: tags (!name) are not known here; quote the text if it begins with !'],
  ['a: @b', '1:4: text cannot begin with this character; put it in quotes'],
  ['a: "b', '1:6: a quote, bracket or comma is missing here; close it or quote the text'],
  [
    'a:\n  - b: 1\n   c: 2\n   d: 3',
    '3:1: the indentation does not fit what is above; align it with its siblings',
  ],
  ['a:\n  - b: 1\n\tc: redis://d\ne: f', '3:1: a tab indents this line; use spaces'],
  ['a: */6 * * * *', '1:8: text that begins with * is no text here; put a schedule in quotes: "*/6 * * * *"'],
  ['a: 1\nb', '2:1: a key or its colon is missing here; write key: value on one line'],
  ['a: 1\n---\nb: 1', '2:1: a second document (---) begins here; use one file for one document'],
])('says what is not YAML: %j', async (source, problem) => {
  expect(await problemsOf(source)).toEqual([problem]);
});

it('a level that a graver one comes before is refused, where higher is worse and where lower is', async () => {
  const levels = `${minimal}monitor:
  thresholds:
    memory_percent: { warning: 95, critical: 90 }
    hit_rate: { info: 60, warning: 70 }
    clients: { warning: 50, high: off, critical: 50 }
`;
  expect((await problemsOf(levels)).map((text) => text.replace(/^\S+ /, ''))).toEqual([
    'monitor.thresholds.memory_percent.warning: is higher than critical, so that it would never be told',
    'monitor.thresholds.hit_rate.info: is lower than warning, so that it would never be told',
  ]);
});

it('finds its bearings through aliases', async () => {
  const problems = await problemsOf(`${minimal}backup: &b { jiter: 5s }\nverify: *b\n`);
  expect(problems).toEqual([
    '3:14: backup.jiter: unknown key; did you mean jitter?',
    '3:14: verify.jiter: unknown key; known here: after_backup, deep, load, schedule',
  ]);
});

it('refuses what would eat the memory', async () => {
  const rows = Array.from({ length: 12 }, (_, row) =>
    row === 0 ? 'a0: &a0 [x, x]' : `a${row}: &a${row} [${`*a${row - 1}, `.repeat(9)}x]`,
  );
  expect(await problemsOf(rows.join('\n'))).toEqual([
    '1:1: more than 100 aliases, or an alias inside itself; write the values out',
  ]);
  const [deep] = await problemsOf('['.repeat(20_000));
  expect(deep).toMatch(/nesting is too deep/);
  const many = await problemsOf(Array.from({ length: 500 }, (_, index) => `key${index}: 1\n`).join(''));
  expect(many).toHaveLength(51);
  expect(many.at(-1)).toMatch(/and 452 more$/);
});

it('takes the file from --config, then the environment, then the default', async () => {
  const dir = folder();
  writeFileSync(join(dir, 'one.yaml'), minimal);
  writeFileSync(join(dir, 'two.yaml'), minimal.replace('main', 'other'));
  const env = { REDIS_AGENT_CONFIG: join(dir, 'two.yaml') };
  expect((await loadSettings(join(dir, 'one.yaml'), { env })).settings.instances[0]?.name).toBe('main');
  expect((await loadSettings(undefined, { env })).settings.instances[0]?.name).toBe('other');
  await expect(loadSettings(undefined, { env: { REDIS_AGENT_CONFIG: '' } })).rejects.toThrow(
    'cannot read the configuration /etc/redis-agent/config.yaml: it does not exist',
  );
});

it('says why the file cannot be used, and what to do', async () => {
  const dir = folder();
  const file = join(dir, 'config.yaml');
  const failure = async (): Promise<AgentError> => {
    const error: unknown = await loadSettings(file, { env: {} }).catch((thrown: unknown) => thrown);
    if (!(error instanceof AgentError)) throw new Error('it was accepted', { cause: error });
    expect(error.code).toBe('usage');
    return error;
  };
  expect((await failure()).hint).toBe(
    'write a first one with: redis-agent init; or name it with --config FILE',
  );
  writeFileSync(file, minimal);
  chmodSync(file, 0o666);
  const writable = await failure();
  expect(writable.message).toMatch(/everybody may write to it \(.+, mode 0666\)/);
  expect(writable.hint).toBe(`chmod o-w ${file}`);
  chmodSync(file, 0o664);
  await expect(loadSettings(file, { env: {} })).resolves.toMatchObject({ path: file });
  writeFileSync(file, Buffer.from([0x61, 0x3a, 0xff]));
  expect((await failure()).message).toMatch(/it is not UTF-8 text$/);
  writeFileSync(file, 'x'.repeat(2 ** 20 + 1));
  expect((await failure()).message).toMatch(/more than 1048576 bytes$/);
});

it('says who owns what it may not read', async () => {
  const dir = folder();
  const file = join(dir, 'config.yaml');
  writeFileSync(file, minimal, { mode: 0o600 });
  mkdirSync(join(dir, 'folder.yaml'));
  await expect(loadSettings(join(dir, 'folder.yaml'), { env: {} })).rejects.toThrow(/not a regular file/);
  actAsNobody(dir, [file]);
  await expect(loadSettings(file, { env: {} })).rejects.toThrow(
    /permission denied for \S+ \(it belongs to \S+:\S+, mode 0[06]00\)$/,
  );
});

it('names the folder that is in the way', async () => {
  const dir = folder();
  mkdirSync(join(dir, 'closed'), { mode: 0o700 });
  const file = join(dir, 'closed', 'config.yaml');
  writeFileSync(file, minimal);
  actAsNobody(dir, [file, join(dir, 'closed')]);
  await expect(loadSettings(file, { env: {} })).rejects.toThrow(
    /permission denied for \S+ \((it|the folder .*\/closed) belongs to \S+:\S+, mode 0[07]00\)$/,
  );
});

it.each(['{hunter2}', '{hunter2: }', 'hunter2', '[hunter2]', '{file: x, hunter2: y}', '{env: hunter-2}'])(
  'does not repeat a misplaced secret: password: %s',
  async (value) => {
    const [problem, ...more] = await problemsOf(minimal.replace('name:', `password: ${value}, name:`));
    expect(more).toEqual([]);
    expect(problem).toMatch(/^1:\d+: instances\[0\]\.password: .*write \{ file: PATH \}/);
    expect(problem).not.toMatch(/hunter/);
  },
);
