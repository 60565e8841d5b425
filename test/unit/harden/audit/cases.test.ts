import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { judgeFacts } from '../../../../src/harden/audit/judge.ts';
import type { AuditReport } from '../../../../src/harden/audit/report.ts';
import type { AuditFacts } from '../../../../src/harden/facts.ts';
import { gatherFileFacts } from '../../../../src/harden/read/gather-files.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';
import { fileFacts, serverFacts } from '../../../support/data/audit-facts.ts';

// What people run, with the outcome that is right for it.

const judged = (facts: AuditFacts): AuditReport => judgeFacts(facts, { waivers: [] });
const found = (report: AuditReport, rule: string) => report.findings.filter((each) => each.rule === rule);
const of = (text: string, engine?: string, changes?: Partial<AuditFacts>): AuditReport =>
  judged(fileFacts(text, engine, changes));
const hash = 'a'.repeat(64);

test('every trailing comment is told at once, with line and column', () => {
  const names = [
    'port 1',
    'maxmemory 80%',
    'save 300 1',
    'timeout 0',
    'hz 10',
    'appendonly no',
    'loglevel notice',
    'databases 16',
    'tcp-keepalive 300',
    'dbfilename x',
  ];
  const lines = found(of(names.map((line) => `${line}  # why`).join('\n')), 'CFG14');
  const comments = lines.filter(({ evidence }) => evidence['kind'] === 'trailing-comment');
  expect(comments.map(({ place }) => [place?.line, place?.column])).toEqual(
    names.map((line, at) => [at + 1, line.length + 3]),
  );
  expect(lines.find(({ remedy }) => remedy.includes('maxmemory 6553mb'))?.place).toMatchObject({
    line: 2,
    column: 11,
  });
});

test('a user whom any password lets in, to three commands: medium, with its scope', () => {
  const report = of(
    'requirepass a-long-and-random-secret-0815\nuser notify on nopass ~QW_* -@all +get +hget +ping\n',
  );
  expect(found(report, 'ACL06')).toMatchObject([
    { resource: 'notify', severity: 'warning', evidence: { scope: '~QW_* -@all +get +hget +ping' } },
  ]);
  expect([...found(report, 'ACL01'), ...found(report, 'ACL04')]).toEqual([]);
});

test('the user default is never told to be narrowed, since no AOF loads whole without its rights', () => {
  const report = of('requirepass a-long-and-random-secret-0815\nuser app on #' + hash + ' ~* &* +@all\n');
  for (const rule of ['ACL08', 'ACL10', 'ACL11']) {
    const remedies = new Map(found(report, rule).map(({ resource, remedy }) => [resource, remedy]));
    expect(remedies.get('app')).toMatch(/^ACL SETUSER app [-r]/);
    expect(remedies.get('default')).toMatch(/ACL SETUSER default off resetpass ~\* &\* \+@all \(/);
    expect(remedies.get('default')).not.toMatch(/SETUSER default (?!off resetpass ~\* &\* \+@all)/);
  }
});

test('users that stand in an aclfile which was not given are unknown', () => {
  const report = of(
    'aclfile /etc/redis/users.acl\nappendonly yes\nrequirepass a-long-and-random-secret-0815\n',
  );
  const unknown = new Set(report.unknown.map(({ rule }) => rule));
  for (const rule of ['ACL01', 'ACL02', 'ACL05', 'ACL08', 'ACL10']) {
    expect(unknown).toContain(rule);
    expect(found(report, rule)).toEqual([]);
  }
});

test('a file is found by a path that is relative, in a folder of its own', () => {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  writeFileSync(join(folder, 'redis.conf'), 'include late.conf\nprotected-mode yes\n');
  writeFileSync(join(folder, 'late.conf'), 'bind * -::*\r\n');
  const path = relative(process.cwd(), join(folder, 'redis.conf'));
  const engine = { engine: 'redis', version: '7.0', docker: false } as const;
  const report = judged(gatherFileFacts(path, { engine, now: 0 }));
  expect(report.unknown).toEqual([]);
  expect(found(report, 'NET01')).toMatchObject([{ place: { file: join(folder, 'late.conf'), line: 1 } }]);
});

test('a waiver takes it out of score and alerts, and it is still shown', () => {
  const facts = fileFacts('user notify on nopass +ping\n');
  const waiver = { rule: 'ACL06', resource: 'notify', reason: 'public', author: 'kim', until: '2026-12-31' };
  const [finding] = found(judgeFacts(facts, { waivers: [waiver] }), 'ACL06');
  expect(finding?.waived).toEqual({ reason: 'public', author: 'kim', until: '2026-12-31' });
  const ended = judgeFacts(facts, { waivers: [{ ...waiver, until: '2026-11-01' }] });
  expect(found(ended, 'ACL06')[0]?.waived).toBe(null);
  expect(found(ended, 'WAI01')).toHaveLength(1);
});

test.each([
  '${REDIS_PASSWORD}',
  '"$(cat /run/secrets/x)"',
  '{{x}}',
  '__X__',
  '<password>',
  'changeme',
  'foobared',
])('the secret %s is none, and is not shown', (secret) => {
  const report = of(`requirepass ${secret}\n`);
  expect(found(report, 'SEC01')).toMatchObject([{ severity: 'critical', place: { line: 1 } }]);
});

test('no report shows a secret', () => {
  expect(JSON.stringify(of('requirepass changeme\nuser worker on >hunter2-is-mine +get\n'))).not.toMatch(
    /changeme|hunter2/,
  );
});

test('a user’s own name as the password, and a random secret that nobody can object to', () => {
  expect(found(of('user worker on >worker +get\n'), 'SEC01')).toMatchObject([{ resource: 'user worker' }]);
  expect(found(of(`requirepass ${hash}\n`), 'SEC01')).toEqual([]);
  expect(found(of("requirepass ''\n"), 'ACL01')).toHaveLength(1);
});

test('default off with an AOF loses transactions; Valkey’s words are unknown to Redis 7.0', () => {
  const text =
    'appendonly yes\nuser default off\nuser app on >a-long-and-random-secret ~* &* +@all\nprimaryuser x\n';
  const report = of(text);
  const [finding] = found(report, 'ACL05');
  expect(finding).toMatchObject({ severity: 'critical', place: { line: 2 } });
  expect(finding?.remedy).toContain('user default off resetpass ~* &* +@all');
  expect(found(report, 'CFG14')).toMatchObject([{ place: { line: 4 } }]);
  expect(found(of(text, 'valkey-9.1.2'), 'ACL05')).toEqual([]);
  // At run time `off` keeps every right.
  const running = serverFacts({ users: ['user default off ~* &* +@all'], config: { appendonly: 'yes' } });
  expect(found(judged(running), 'ACL05')).toEqual([]);
});

test.each([
  ['redis-7.0', 'high'],
  ['redis-6.0', 'critical'],
  ['redis-7.2-docker', 'critical'],
] as const)('bind 0.0.0.0 without a password on %s is %s', (engine, severity) => {
  expect(found(of('bind 0.0.0.0\n', engine), 'NET01')).toMatchObject([{ severity }]);
});

test('a deny-list that forgets EVALSHA leaves scripts, and much else, open', () => {
  const rules =
    '-config -module -replicaof -slaveof -migrate -restore -acl -debug -eval -eval_ro -evalsha_ro';
  const [finding] = found(of(`user app on #${hash} ~* +@all ${rules}\n`), 'ACL22');
  expect(finding).toMatchObject({ severity: 'high' });
  const open = String(finding?.evidence['commands']).split(' ');
  expect(open).toEqual(
    expect.arrayContaining([
      'monitor',
      'client|kill',
      'sync',
      'psync',
      'save',
      'bgrewriteaof',
      'sort',
      'latency|reset',
      'slowlog|reset',
      'evalsha',
      'script|load',
    ]),
  );
});

test('the order of rules: which token takes which grant back', () => {
  const report = of(`user exporter on #${hash} +@read +info +dbsize +slowlog -@admin -@dangerous\n`);
  expect(found(report, 'ACL21').map(({ summary }) => summary)).toEqual([
    expect.stringContaining('-@dangerous takes back +info'),
    expect.stringContaining('-@dangerous takes back +slowlog'),
  ]);
  expect(found(of(`user a on #${hash} &queue:* resetchannels\n`), 'ACL21')).toHaveLength(1);
  expect(found(of(`user a on #${hash} -@dangerous +@all\n`), 'ACL21')).toMatchObject([{ severity: 'high' }]);
});

test('a cache and a queue in one: only what is known to be a queue is told', () => {
  const text =
    'set-max-listpack-entries 128\nrename-command CONFIG ""\nrename-command SHUTDOWN ""\nmaxmemory-policy allkeys-lru\n';
  const report = of(text);
  expect(found(report, 'CFG14')).toMatchObject([{ place: { line: 1 } }]);
  expect(found(report, 'ACL19').map(({ summary }) => summary)).toEqual([
    expect.stringContaining('nothing can be compared'),
    expect.stringContaining('cannot be stopped'),
  ]);
  expect(found(report, 'CFG11')).toEqual([]);
  expect(found(of(text, 'redis-7.0', { role: 'queue' }), 'CFG11')).toHaveLength(1);
});

test.each([
  ['', 'high'],
  ['requirepass a-long-and-random-secret\n', 'warning'],
])('a socket for everybody (%j) is %s', (more, severity) => {
  expect(found(of(`unixsocket /run/s\nunixsocketperm 777\n${more}`), 'NET05')).toMatchObject([{ severity }]);
});

test('logfile stdout and blanks are no faults, maxclients 0 is', () => {
  expect(found(of('logfile stdout\n \n# é\nmaxclients 0\n'), 'CFG14')).toMatchObject([
    { place: { line: 4 } },
  ]);
});

test('a Sentinel’s file is known as one', () => {
  const report = of(
    'port 26379\nsentinel monitor m 10.0.0.1 6379 2\nsentinel auth-pass m secret\n# Generated by CONFIG REWRITE\nsentinel known-sentinel m 10.0.0.2 26379 a\nsentinel known-sentinel m 10.0.0.2 26379 b\n',
  );
  expect(report.findings.map(({ rule }) => rule)).toEqual(
    expect.arrayContaining(['SEN01', 'SEN02', 'SEN03']),
  );
  expect(found(report, 'CFG14')).toEqual([]);
  expect(found(report, 'SEN03')).toMatchObject([{ severity: 'info' }]);
});

test('what could not be seen is unknown, lowers the coverage and is no pass', () => {
  const report = judged(
    serverFacts({ server: { users: { missing: 'ACL LIST is refused: ACL SETUSER a +acl|list' } } }),
  );
  expect(report.unknown.map(({ rule }) => rule)).toEqual(expect.arrayContaining(['ACL06', 'ACL08']));
  expect(report.passed).not.toContain('ACL06');
  expect(report.score.coverage).toBeLessThan(1);
});
