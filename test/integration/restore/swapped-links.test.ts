// The server's user exchanges what a restore has made in its data directory by links, all the while.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runAgent, takeBackup, writeConfig } from '../../support/agent/cli.ts';
import { childScript } from '../../support/house/child-script.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { everything } from '../../support/house/tier.ts';
import { manageServer } from '../../support/servers/managed-server.ts';
import { serverUser } from '../../support/servers/server-user.ts';

const rounds = everything ? 1000 : 20;

test.skipIf(serverUser === undefined)(
  `${rounds} restores are led nowhere, and none is a defect`,
  async () => {
    const server = await manageServer();
    const config = writeConfig({ instances: [server.instance] });
    await server.call('SET', 'key', 'as backed up');
    const id = await takeBackup(config);
    const trap = makeTempFolder();
    onTestFinished(() => removeTempFolder(trap));
    chmodSync(trap, 0o755);
    writeFileSync(join(trap, 'secret'), 'of root alone', { mode: 0o600 });
    const before = lstatSync(join(trap, 'secret'));

    const task = JSON.stringify({ dir: server.dir, trap, uid: serverUser?.uid });
    const attacker = spawn(process.execPath, [childScript('restore/swap-links-child'), task], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(async () => {
      attacker.kill('SIGKILL');
      if (attacker.exitCode === null && attacker.signalCode === null) await once(attacker, 'exit');
    });
    let exchanged = 0;
    attacker.stdout.on('data', (text: Buffer) => (exchanged += text.length));
    await once(attacker.stdout, 'data');

    const codes: Record<string, number> = {};
    for (let round = 0; round < rounds; round += 1) {
      const { code, stdout, stderr } = await runAgent(
        ['--json', 'restore', id, '--yes', '--method', 'files', '--recover-unmatched'],
        { config },
      );
      codes[code] = (codes[code] ?? 0) + 1;
      expect(stdout + stderr).not.toContain('of root alone');
    }
    // He was at it all the while, and some came through all the same.
    expect(attacker.exitCode ?? attacker.signalCode).toBeNull();
    expect(exchanged).toBeGreaterThan(rounds);
    expect(codes[0]).toBeGreaterThan(0);
    attacker.kill('SIGKILL');
    await once(attacker, 'exit');

    expect(readdirSync(trap)).toEqual(['secret']);
    expect(readFileSync(join(trap, 'secret'), 'utf8')).toBe('of root alone');
    const { uid, mode, ino, nlink } = lstatSync(join(trap, 'secret'));
    expect({ uid, mode, ino, nlink }).toEqual({ uid: 0, mode: before.mode, ino: before.ino, nlink: 1 });

    // Left alone, it works again: what he has made of his own files is moved away as the errors say.
    rmSync(join(server.dir, '.redis-agent-restore'), { recursive: true, force: true });
    const last = await runAgent(['--json', 'restore', id, '--yes', '--method', 'files'], { config });
    expect({ ...last, codes }).toMatchObject({ code: 0 });
    await server.reconnect();
    expect(await server.call('GET', 'key')).toBe('as backed up');
  },
  everything ? 3_600_000 : 240_000,
);
