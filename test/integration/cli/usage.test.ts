import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runAgent, spawnAgent, writeConfig } from '../../support/agent/cli.ts';
import { startServer } from '../../support/servers/redis-server.ts';

/** Exit status 2, one line on stderr, nothing on stdout. */
const refused = (text: string): object => ({ code: 2, stdout: '', stderr: `redis-agent: ${text}\n` });

describe('the command line', () => {
  test.each([
    [['bakup'], 'unknown argument: bakup; did you mean backup?'],
    [['backups', 'lst'], 'unknown argument: lst; did you mean backups list?'],
    [['verify'], 'unknown argument: verify; did you mean backups verify?'],
    [['prune', '--dry-run'], 'unknown argument: --dry-run, prune; did you mean backups prune?'],
    [['plan'], 'unknown argument: plan; did you mean harden plan?'],
    [['backup', '--skip-preflght'], 'unknown argument: --skip-preflght; did you mean --skip-preflight?'],
    [
      ['backup', '--undo'],
      'unknown argument: --undo; --undo is for another command; see: redis-agent backup --help',
    ],
    [['backup', '--zzz'], 'unknown argument: --zzz; see: redis-agent backup --help'],
    [['backup', '-x'], 'unknown argument: -x; see: redis-agent backup --help'],
    [['status', 'main'], 'unknown argument: main; see: redis-agent status --help'],
    [['restore', 'latest', 'b'], 'unknown argument: b; see: redis-agent restore --help'],
    [
      ['backups', 'list', 'extra', 'words'],
      'unknown argument: extra, words; see: redis-agent backups list --help',
    ],
    [[], 'a command is missing; see: redis-agent --help'],
    [['backups'], 'backups needs a command after it; see: redis-agent backups --help'],
    [['harden', 'tls'], 'harden tls needs enable after it; see: redis-agent harden --help'],
    [['harden'], 'harden needs a command after it; see: redis-agent harden --help'],
    [['backups', 'show'], 'backups show needs <id>; see: redis-agent backups show --help'],
    [['harden', 'render'], 'harden render needs --policy; see: redis-agent harden render --help'],
    [
      ['audit', '--format', 'pdf'],
      '--format is one of text, json, html, sarif, junit, and not "pdf"; see: redis-agent audit --help',
    ],
    [['audit', '--profile', 'bull'], '--profile needs --user; see: redis-agent audit --help'],
    [['slowlog', '--top', 'abc'], '--top takes a whole number from 1 to 10000'],
    [['audit', '--aclfile', 'x'], '--aclfile is about files: name one; see: redis-agent audit --help'],
    [['audit', '--key', 'x'], '--key needs --profile; see: redis-agent audit --help'],
    [
      ['audit', 'redis.conf', '--instance', 'x'],
      'files and --instance exclude each other; see: redis-agent audit --help',
    ],
    // Taken for left out, it would be the default.
    [['restore', '--yes', '--method'], '--method needs a value; see: redis-agent restore --help'],
    [['status', '--instance'], '--instance needs a value; see: redis-agent status --help'],
    [
      ['status', '--quiet', '--verbose'],
      '--quiet and --verbose exclude each other; see: redis-agent status --help',
    ],
    [
      ['backups', 'verify', '--load', '--quick'],
      '--load and --quick exclude each other; see: redis-agent backups verify --help',
    ],
    [
      ['backups', 'verify', 'latest', '--all'],
      '--all and <id> exclude each other; see: redis-agent backups verify --help',
    ],
  ])('%j', async (args, text) => {
    expect(await runAgent(args)).toMatchObject(refused(text));
  });

  // Taken for "no" it would prune.
  test('a flag takes no value, so that --dry-run=yes removes nothing', async () => {
    expect(await runAgent(['backups', 'prune', '--yes', '--dry-run=yes'])).toMatchObject(
      refused('--dry-run takes no value; say --dry-run, or --no-dry-run'),
    );
  });

  test('hostile words come back harmless', async () => {
    const { stderr } = await runAgent(['\u001b[31mred\u202e\n']);
    expect(stderr).toBe('redis-agent: unknown argument: \\x1b[31mred\\u{202e}; see: redis-agent --help\n');
  });

  test('the language of the environment changes nothing', async () => {
    const agent = spawnAgent(['bakup'], {
      fromSources: true,
      env: { LC_ALL: 'de_DE.UTF-8', LANGUAGE: 'de' },
    });
    expect(await agent.ended).toMatchObject(refused('unknown argument: bakup; did you mean backup?'));
  });

  test('with --json an error is one document on stdout and nothing else', async () => {
    const { code, json, stderr } = await runAgent(['--json', 'bakup']);
    expect({ code, json, stderr }).toEqual({
      code: 2,
      json: { error: { code: 'usage', message: 'unknown argument: bakup', hint: 'did you mean backup?' } },
      stderr: '',
    });
  });
});

describe('the configuration', () => {
  test('there is none', async () => {
    const path = join(writeConfig({}).folder, 'none.yaml');
    const text = `cannot read the configuration ${path}: it does not exist; write a first one with: redis-agent init; or name it with --config FILE`;
    expect(await runAgent(['status', '--config', path])).toMatchObject(refused(text));
    expect(await runAgent(['status'], { env: { REDIS_AGENT_CONFIG: path } })).toMatchObject(refused(text));
    const { json } = await runAgent(['status', '--json', '--config', path]);
    expect(json).toMatchObject({
      error: { code: 'usage', reason: 'config-missing', hint: expect.any(String) },
    });
  });

  test('unknown keys: file, line, column, and what was meant', async () => {
    const config = writeConfig({});
    writeFileSync(
      config.path,
      [
        'instances:',
        '  - name: main',
        '    ulr: redis://127.0.0.1:6379',
        'repository: { type: filesystem, path: r }',
        'backup: { retention: { dais: 7 } }',
      ].join('\n'),
    );
    const { code, stderr } = await runAgent(['config', 'check'], { config });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: [
        `redis-agent: ${config.path}:2:5: instances[0].url: is missing; it has no default`,
        `${config.path}:3:5: instances[0].ulr: unknown key; did you mean url?`,
        `${config.path}:5:24: backup.retention.dais: unknown key; did you mean days?`,
        '',
      ].join('\n'),
    });
  });

  test('two instances of one name', async () => {
    const instance = { name: 'main', url: 'redis://127.0.0.1:1' };
    const config = writeConfig({ instances: [instance, instance] });
    const { code, stderr } = await runAgent(['backup'], { config });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^redis-agent: \S+config.yaml:8:15: instances\[1\].name: two instances have this name; give each its own \(the other is in line 4\).*\n$/,
    );
  });

  test('several instances and none chosen, or one that is not there', async () => {
    const url = 'redis://127.0.0.1:1';
    const config = writeConfig({
      instances: [
        { name: 'main', url },
        { name: 'other', url },
      ],
    });
    for (const args of [['backup'], ['backups', 'list'], ['backups', 'verify'], ['backups', 'prune']])
      expect(await runAgent(args, { config })).toMatchObject(
        refused('several instances are configured; choose with --instance: main, other'),
      );
    expect(await runAgent(['backup', '--instance', 'mian'], { config })).toMatchObject(
      refused('there is no instance "mian"; choose with --instance: main, other'),
    );
  });

  test('a secret that everybody may read', async () => {
    const config = writeConfig({ server: await startServer(), password: 'open-to-all-7f3a' });
    const file = join(config.folder, 'secrets', 'main');
    chmodSync(file, 0o644);
    const text = `password of instance main: cannot read the secret from the file ${file}: everybody may read or write it (mode 0644); chmod 0600 ${file}, or 0640 with the agent's group; then change the secret if others use this host`;
    expect(await runAgent(['backup'], { config })).toMatchObject(refused(text));
    expect(await runAgent(['status'], { config })).toMatchObject({ code: 2 });
    const { json } = await runAgent(['backup', '--json'], { config });
    expect(json).toMatchObject({ error: { code: 'usage', reason: 'secret' } });
  });

  test('a password in the configuration is not repeated', async () => {
    const config = writeConfig({});
    const secret = config.secret('x', 'pasted-password-91c2');
    mkdirSync(config.state);
    const text = `instances:\n  - { name: main, url: "redis://:pasted-password-91c2@127.0.0.1:1" }\n`;
    writeFileSync(config.path, `${text}repository: { type: filesystem, path: r }\n`);
    expect(await runAgent(['config', 'check'], { config })).toMatchObject({ code: 2 });
    writeFileSync(
      config.path,
      'instances: [{ name: main, url: "redis://127.0.0.1:1", password: pasted-password-91c2 }]\nrepository: { type: filesystem, path: r }\n',
    );
    expect(await runAgent(['config', 'check'], { config })).toMatchObject({ code: 2 });
    expect(secret.file).toContain(config.folder);
  });
});
