// Another user of the host waits for the port at which a server is to find its master, while the agent is killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { reserveLowPort } from '../../../src/redis/replication/low-port.ts';
import { spawnAgent } from '../../support/agent/cli.ts';
import { childScript } from '../../support/house/child-script.ts';
import { everything } from '../../support/house/tier.ts';
import {
  expectFree,
  journalOf,
  prepareLive,
  removeSources,
  settings,
} from '../../support/restore/live-case.ts';
import { recoverRestore } from '../../support/restore/restore-live.ts';

afterAll(removeSources);

const rounds = everything ? 200 : 10;

/** The guard of the restore that this process does. */
function guardOf(agent: number): number | undefined {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => {
      try {
        const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
        return (
          parent === agent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('redis-agent-guard')
        );
      } catch {
        return false;
      }
    });
}

// Where everybody may have low ports, as in some containers, nothing of this is promised.
const probe = await reserveLowPort();
const promised = probe !== undefined;
await probe?.[Symbol.asyncDispose]();

test.skipIf(!promised)(
  `he has it after none of ${rounds} kills, of the agent or of agent and guard together`,
  async () => {
    const { server, config, id } = await prepareLive({ config: settings });
    const other = spawn(process.execPath, [childScript('restore/take-port-child')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(async () => {
      other.kill('SIGKILL');
      if (other.exitCode === null && other.signalCode === null) await once(other, 'exit');
    });
    let both = 0;
    let said = '';
    other.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));

    const command = ['restore', id, '--method', 'live', '--yes', '--no-pre-backup', '--allow-fewer-keys'];
    for (let round = 0; round < rounds; round += 1) {
      rmSync(journalOf(config), { force: true });
      const agent = spawnAgent(command, { config });
      while (!existsSync(journalOf(config))) {
        expect(agent.stderr).not.toMatch(/^redis-agent: /m);
        await delay(5);
      }
      await delay(round * 7);
      const guard = round % 2 === 0 ? undefined : guardOf(agent.pid);
      if (guard !== undefined) {
        process.kill(guard, 'SIGKILL');
        both += 1;
      }
      agent.kill('SIGKILL');
      await agent.ended;
      await recoverRestore(config.path);
      await expectFree(server);
    }
    // He saw where it was, and had it never, not with both of them gone either.
    expect(both).toBeGreaterThan(0);
    expect(said).toMatch(/^watching \d+$/m);
    expect(said).not.toMatch(/^got /m);
    expect(other.exitCode ?? other.signalCode).toBeNull();
  },
  everything ? 1_800_000 : 240_000,
);
