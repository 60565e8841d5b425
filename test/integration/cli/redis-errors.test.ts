import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificates } from '../../support/servers/certificates.ts';
import {
  canBeNobody,
  idsIn,
  runAgent,
  spawnAgent,
  writeConfig,
  type AgentResult,
} from '../../support/agent/cli.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { tempFolder } from '../backup/snapshot/support.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ config: { requirepass: 'right-password-5d1c' }, tls: true });
  await server.call('SET', 'key', 'value');
});
afterAll(async () => {
  await server.stop();
});

/** One line that says `text`, exit status 4, and no backup. */
function expectRefused({ code, stdout, stderr }: AgentResult, text: string | RegExp): void {
  expect(stderr).toMatch(text);
  expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({
    code: 4,
    stdout: '',
    lines: 1,
  });
}

const password = 'right-password-5d1c';

describe('a server that cannot be reached', () => {
  test('nothing listens there', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const config = writeConfig({ server: { url }, password });
    expectRefused(
      await runAgent(['backup'], { config }),
      `redis-agent: instance main: cannot connect to ${url}: connection refused; is the server running, and is this its address and port?\n`,
    );
    expect(idsIn(config)).toEqual([]);
    expectRefused(await runAgent(['backup', '--no-verify'], { config }), 'connection refused');
    const { code, json, stderr } = await runAgent(['backup', '--json'], { config });
    expect({ code, json, stderr }).toMatchObject({
      code: 4,
      json: { error: { code: 'redis', reason: 'refused', message: expect.stringContaining(url) } },
      stderr: '',
    });
  });

  test('no such host, and no such socket', async () => {
    const host = writeConfig({ server: { url: 'redis://no-such-host.invalid:6379' } });
    expectRefused(await runAgent(['backup'], { config: host }), 'the host name does not resolve; check url');
    const socket = writeConfig({ server: { url: `unix://${host.folder}/none.sock` } });
    expectRefused(
      await runAgent(['backup'], { config: socket }),
      'there is no such socket; is the server running',
    );
  });

  test('the wrong password, no password, the wrong user', async () => {
    const wrong = writeConfig({ server, password: 'wrong-password-88aa' });
    expectRefused(
      await runAgent(['backup'], { config: wrong }),
      'wrong user or password; check username and password',
    );
    const none = writeConfig({ server });
    expectRefused(await runAgent(['backup'], { config: none }), 'no password was given; set password');
    const user = writeConfig({ server, username: 'nobody-here', password });
    expectRefused(
      await runAgent(['backup'], { config: user }),
      'wrong user or password; check username and password',
    );
    expect([...idsIn(wrong), ...idsIn(none), ...idsIn(user)]).toEqual([]);
  });

  test('a certificate that is not trusted, and another authority’s', async () => {
    const url = server.tls?.url ?? '';
    const plain = writeConfig({ instances: [{ name: 'main', url }] });
    expectRefused(
      await runAgent(['backup'], { config: plain }),
      'not trusted here signed the server’s certificate; set tls.ca',
    );
    const { ca } = makeCertificates(tempFolder());
    const other = writeConfig({ instances: [{ name: 'main', url, tls: { ca } }] });
    expectRefused(
      await runAgent(['backup'], { config: other }),
      'not trusted here signed the server’s certificate',
    );
    const missing = writeConfig({ instances: [{ name: 'main', url, tls: { ca: 'none.pem' } }] });
    expectRefused(
      await runAgent(['backup'], { config: missing }),
      /cannot use tls.ca \S+none.pem: it does not exist/,
    );
  });
});

/** An agent whose user has the given ACL rules. */
async function agentWith(...rules: string[]): Promise<AgentResult> {
  await server.call('ACL', 'SETUSER', 'agent', 'reset', 'on', '>agents-password-31', '~*', ...rules);
  const config = writeConfig({ server, username: 'agent', password: 'agents-password-31' });
  const result = await runAgent(['backup'], { config });
  expect(idsIn(config)).toEqual([]);
  return result;
}

describe('rights', () => {
  test.each([
    ['BGSAVE', ['+@all', '-bgsave'], '+bgsave'],
    ['CONFIG GET', ['+@all', '-config'], '+config|get'],
    ['INFO', ['+@all', '-info'], '+info'],
    ['TIME', ['+@all', '-time'], '+time'],
  ])('%s is not allowed: names the rule to add', async (command, rules, missing) => {
    expectRefused(
      await agentWith(...rules),
      `redis-agent: instance main: user agent may not run ${command}; grant it on the server: ACL SETUSER agent ${missing}\n`,
    );
  });

  test('these rights and no others suffice', async () => {
    await server.call('ACL', 'SETUSER', 'agent', 'reset', 'on', '>agents-password-31');
    await server.call('ACL', 'SETUSER', 'agent', '+info', '+config|get', '+bgsave', '+time', '+ping');
    const config = writeConfig({ server, username: 'agent', password: 'agents-password-31' });
    expect(await runAgent(['backup'], { config })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('proven: loaded by a scratch server'),
    });
  });
});

describe.skipIf(!canBeNobody)('a dump that the agent’s user may not read', () => {
  test('says which group to join, and leaves nothing', async () => {
    const dir = tempFolder();
    chownSync(dir, 0, 1);
    chmodSync(dir, 0o2751);
    const umask = process.umask(0o027);
    onTestFinished(() => void process.umask(umask));
    const closed = await startServer({ config: { dir }, asRoot: true });
    await closed.call('SET', 'key', 'value');
    process.umask(umask);
    const config = writeConfig({ server: closed });
    for (const folder of [config.repository, config.state]) {
      mkdirSync(folder);
      chownSync(folder, 65_534, 65_534);
    }
    chownSync(config.path, 65_534, 65_534);
    const agent = await spawnAgent(['backup'], { config, nobody: true }).ended;
    expect(agent).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `redis-agent: instance main: cannot read ${dir}/dump.rdb: permission denied for nobody at ${dir}/dump.rdb (it belongs to root:daemon, mode 0640); usermod -aG daemon nobody, then restart the agent\n`,
    });
    expect(existsSync(`${config.repository}/main`)).toBe(false);
    expect(await spawnAgent(['status'], { config, nobody: true }).ended).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('backup failed: instance main: cannot read'),
    });
  });
});
