// How a server was set up is kept with each backup, and no secret of it in the clear.
import { chmodSync, chownSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { expect, onTestFinished, test } from 'vitest';
import { gatherServerConfig, maskLine } from '../../../src/backup/server-config.ts';
import { actAsNobody } from '../../support/agent/as-nobody.ts';
import {
  canBeNobody,
  knownSecrets,
  runAgent,
  spawnAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { edgeBuilds, startServer, type TestServer } from '../../support/servers/redis-server.ts';

const password = 'kept-config-9d1c';
const other = 'another-secret-77ab';

async function secured(build?: ReturnType<typeof edgeBuilds>[number]): Promise<TestServer> {
  knownSecrets.add(other);
  const config = {
    requirepass: password,
    masterauth: other,
    maxmemory: '123mb',
    user: `worker on >${other} ~jobs:* +@all`,
  };
  const server = await startServer({ ...(build && { build }), config });
  await server.call('SET', 'key', 'value');
  return server;
}

function stored(config: TestConfig, id: string, name: string): string {
  return readFileSync(join(config.repository, 'main', id, name), 'latin1');
}

test.each(edgeBuilds())('$name: in the clear without passwords and hashes', async (build) => {
  const server = await secured(build);
  const config = writeConfig({ server, password });
  const id = await takeBackup(config);
  const text = stored(config, id, 'config.json');
  expect(text).not.toMatch(new RegExp(`${password}|${other}|[0-9a-f]{64}`));
  const { code, json } = await runAgent(['backups', 'show', id, '--server-config', '--json'], { config });
  expect({ code, json }).toMatchObject({
    code: 0,
    json: {
      config: {
        masked: true,
        config: { maxmemory: String(123 * 1024 * 1024), requirepass: '(masked)', masterauth: '(masked)' },
      },
    },
  });
  expect(json.config.acl.join('\n')).toMatch(/^user worker on .*#\(masked\) .*~jobs:\*/m);
  const shown = await runAgent(['backups', 'show', id, '--server-config'], { config });
  expect(shown.stdout).toMatch(/^maxmemory 128974848$/m);
  // It goes with its backup.
  expect((await runAgent(['backups', 'list', '--json'], { config })).json.foreign).toEqual([]);
  writeFileSync(join(config.repository, 'main', id, 'config.json'), text.replace('128974848', '1'));
  expect(await runAgent(['backups', 'show', id, '--server-config'], { config })).toMatchObject({ code: 6 });
  expect(await runAgent(['backups', 'show', id], { config })).toMatchObject({ code: 0 });
});

test('encrypted where the backup is, and then whole', async () => {
  const server = await secured();
  const identity = await generateIdentity();
  const encryption = { recipients: [await identityToRecipient(identity)], identity };
  const config = writeConfig({ server, password, encryption });
  const id = await takeBackup(config);
  expect(readdirSync(join(config.repository, 'main', id))).not.toContain('config.json');
  expect(stored(config, id, 'config.json.age')).toMatch(/^age-encryption\.org/);
  knownSecrets.delete(password);
  knownSecrets.delete(other);
  const { json } = await runAgent(['backups', 'show', id, '--server-config', '--json'], { config });
  expect(json.config).toMatchObject({ masked: false, config: { requirepass: password } });
  expect(json.config.acl.join('\n')).toMatch(/user worker on .*#[0-9a-f]{64}/);
});

test('what may not be asked is said, and the backup is there', async () => {
  const server = await secured();
  await server.call(
    'ACL',
    'SETUSER',
    'agent',
    'on',
    `>${other}`,
    '+ping',
    '+info',
    '+time',
    '+config|get',
    '+bgsave',
  );
  const config = writeConfig({ server, username: 'agent', password: other });
  const id = await takeBackup(config);
  const { json } = await runAgent(['backups', 'show', id, '--server-config', '--json'], { config });
  expect(json.config.acl).toBeNull();
  expect(json.config.missing).toContainEqual(
    expect.stringMatching(/may not run ACL LIST; grant .* \+acl\|list/),
  );
});

test('redis.conf is kept where it may be read, and not by root', async () => {
  const server = await secured();
  const options = { now: 0, masked: true };
  actAsNobody(server.dir, []);
  const { files, missing } = await gatherServerConfig(server.connection, options);
  // Where the temporary folder cannot be entered by others, that is said instead.
  const seen = files.map(({ text }) => text).join('\n') + missing.join();
  expect(seen).toMatch(/permission|maxmemory|port/);
  expect(seen).not.toMatch(new RegExp(`${password}|${other}`));
});

test('redis.conf, what it includes and the aclfile lie beside the backup, and are shown', async () => {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const [included, users] = [join(folder, 'more.conf'), join(folder, 'users.acl')];
  writeFileSync(included, `maxmemory 77mb\n# masterauth ${other}\n`);
  writeFileSync(users, `user default on nopass ~* &* +@all\nuser worker on >${other} ~jobs:* +@all\n`);
  const server = await startServer({ config: { include: included, aclfile: users, masterauth: other } });
  knownSecrets.add(other);
  const config = writeConfig({ server });
  // What the daemon may read; root is led to no file that a server names.
  for (const path of [folder, server.dir]) chmodSync(path, 0o755);
  for (const path of [included, users, server.configFile]) chmodSync(path, 0o644);
  for (const name of ['', ...readdirSync(config.folder, { recursive: true, encoding: 'utf8' })])
    if (canBeNobody) chownSync(join(config.folder, name), 65_534, 65_534);
  const agent = async (...args: string[]): Promise<AgentResult> =>
    canBeNobody ? await spawnAgent(args, { config, nobody: true }).ended : await runAgent(args, { config });
  const taken = await agent('--json', 'backup', '--no-verify');
  expect({ code: taken.code, error: taken.json.error }).toEqual({ code: 0, error: undefined });
  const { id } = taken.json.backup;
  if (!canBeNobody && process.geteuid?.() === 0) return;
  const { json } = await agent('--json', 'backups', 'show', id, '--server-config');
  const texts = new Map<string, string>(
    json.config.files.map(({ path, text }: { path: string; text: string }) => [path, text]),
  );
  expect([...texts.keys()]).toEqual([server.configFile, included, users]);
  expect(texts.get(server.configFile)).toMatch(/^port \d+$/m);
  expect(texts.get(server.configFile)).toMatch(/^masterauth \(masked\)$/m);
  expect(texts.get(included)).toMatch(/^maxmemory 77mb$/m);
  expect(texts.get(users)).toMatch(/^user worker on >\(masked\) ~jobs:\* \+@all$/m);
  expect(json.config.missing).toEqual([]);
  const shown = await agent('backups', 'show', id, '--server-config');
  expect(shown.stdout).toContain(server.configFile);
  expect(shown.stdout).toMatch(/^\s*maxmemory 77mb$/m);
});

test.each([
  ['requirepass foobared', 'requirepass (masked)'],
  ['  "requirepass" foobared', 'requirepass (masked)'],
  ['# requirepass foobared', '# requirepass (masked)'],
  ['masterauth "a b', '(masked)'],
  ["# It's a comment", "# It's a comment"],
  ['user app on >pw #aa ~* +get', 'user app on >(masked) #(masked) ~* +get'],
  ['rename-command CONFIG abcdef', 'rename-command CONFIG (masked)'],
  ['sentinel auth-pass mymaster pw', 'sentinel auth-pass (masked)'],
  ['maxmemory 1gb', 'maxmemory 1gb'],
])('masks %j', (line, masked) => {
  expect(maskLine(line)).toBe(masked);
});
