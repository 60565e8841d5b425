// Beside a daemon that is not root, root's restore is done by a process that has given root up; root itself starts, stops and
// shows processes, and a process with the rights of the server's user works in the data directory.
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { mindCommand } from '../../../src/app/switch/command.ts';
import { handsCommand } from '../../../src/app/hands/command.ts';
import {
  canBeNobody,
  spawnAgent,
  takeBackup,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { serverUser } from '../../support/servers/server-user.ts';

/** The daemon's user: in no group of the server's, and its data directory is closed to him. */
const daemon = 65_534;

async function prepare(): Promise<{ server: ManagedServer; config: TestConfig; id: string }> {
  const server = await manageServer();
  await server.call('SET', 'key', 'as backed up');
  const config = writeConfig({ instances: [server.instance] });
  const id = await takeBackup(config);
  await server.call('SET', 'key', 'as it is now');
  execFileSync('chown', ['-R', `${daemon}:${daemon}`, config.folder]);
  for (const folder of [config.folder, dirname(config.folder)]) chmodSync(folder, 0o755);
  chmodSync(server.dir, 0o700);
  return { server, config, id };
}

interface Seen {
  uid: number;
  privileges: boolean;
  session: boolean;
}

/** What is seen of a process with that word, once it has given root up. */
async function see(word: string): Promise<Seen> {
  for (;;) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        const uid = Number(/^Uid:\t(\d+)/m.exec(status)?.[1]);
        if (!words.includes(word) || uid === 0) continue;
        const [, , , session] = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ');
        return { uid, privileges: !status.includes('NoNewPrivs:\t1'), session: session === pid };
      } catch {
        // It has ended meanwhile.
      }
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test.runIf(canBeNobody)('by files: mind, hands and switch are three users', async () => {
  const { server, config, id } = await prepare();
  const agent = spawnAgent(['--json', 'restore', '--yes', '--method', 'files'], { config });
  const [mind, hands, { code, json }] = await Promise.all([see(mindCommand), see(handsCommand), agent.ended]);
  expect({ code, ...json.error }).toEqual({ code: 0 });
  expect(json).toMatchObject({ outcome: 'restored', plan: { backup: id } });
  expect(mind).toEqual({ uid: daemon, privileges: false, session: true });
  expect(hands).toEqual({ uid: serverUser?.uid, privileges: false, session: true });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as backed up');
  const owners = (folder: string): number[] =>
    readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, String(name))).uid);
  expect(new Set(owners(server.dir))).toEqual(new Set([serverUser?.uid]));
  expect(new Set(owners(config.folder))).toEqual(new Set([daemon]));

  const undone = await spawnAgent(['--json', 'restore', '--undo', '--yes'], { config }).ended;
  expect({ code: undone.code, ...undone.json.error }).toEqual({ code: 0 });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as it is now');
});
