import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ProgressReport } from '../../../src/domain/progress.ts';
import type { RestoreReport } from '../../../src/jobs/restore/files/look-at-server.ts';
import { restoreJob } from '../../../src/jobs/restore/restore-job.ts';
import {
  editManifest,
  runAgent,
  spawnAgent,
  takeBackup,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { memoryLog, type LogEntry } from '../../support/agent/memory-log.ts';
import { defaultBuild, edgeBuilds, type ServerBuild } from '../../support/servers/redis-server.ts';
import { isGone, scratchPid } from '../../support/servers/scratch-process.ts';
import { openApp } from '../../support/agent/open-app.ts';

/** A backup, and what the server holds now. */
interface Case {
  server: ManagedServer;
  config: TestConfig;
  id: string;
  backedUp: string;
  later: string;
  scratch: string;
}

/** `keys` of 60 bytes: 200,000 load in some 0.2 s. */
async function prepare(keys: number, build: ServerBuild = defaultBuild()): Promise<Case> {
  const server = await manageServer({ build });
  const config = writeConfig({ instances: [server.instance] });
  await server.call('DEBUG', 'POPULATE', keys, 'key', 60);
  await server.call('SET', 'one', '1');
  const backedUp = await digest(server);
  const id = await takeBackup(config, '--no-verify');
  await server.call('SET', 'one', 'later');
  return {
    server,
    config,
    id,
    backedUp,
    later: await digest(server),
    scratch: join(config.state, 'scratch'),
  };
}

async function digest(server: ManagedServer): Promise<string> {
  return String(await server.call('DEBUG', 'DIGEST'));
}

interface Watch {
  onStep?: (step: string) => void | Promise<void>;
  onProgress?: (state: ProgressReport) => void;
  signal?: AbortSignal;
}

/** Restores in this process. */
async function restore(
  { config, id }: Case,
  { onStep = () => {}, onProgress = () => {}, signal = new AbortController().signal }: Watch,
): Promise<{ report: RestoreReport; entries: LogEntry[] }> {
  const log = memoryLog();
  const app = await openApp(config, log);
  try {
    const options = { which: id, undo: false, dryRun: false, allow: [], onStep };
    const run = { signal, progress: { report: onProgress } };
    const report = await app.run(restoreJob, app.instance(undefined), options, run);
    return { report, entries: log.entries };
  } finally {
    await app.close();
  }
}

/** The scratch server, as soon as it has read some of its dump and long before it has read all. */
async function untilLoading(scratch: string): Promise<number> {
  for (;;) {
    try {
      const pid = scratchPid(scratch);
      const read = /^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1];
      if (Number(read) > 1024 * 1024) return pid;
    } catch {
      // Not yet.
    }
    await delay(1);
  }
}

const foldersIn = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);

/** The server goes on with its data, and nothing of the restore is left. */
async function expectUntouched({ server, scratch, later }: Case, pids: number[]): Promise<void> {
  expect(await server.pids()).toEqual(pids);
  expect(await digest(server)).toBe(later);
  expect(foldersIn(scratch)).toEqual([]);
  expect(readdirSync(server.dir).filter((name) => name.includes('before'))).toEqual([]);
  const left = foldersIn(join(server.dir, '.redis-agent-restore'));
  expect(left.filter((name) => !name.endsWith('.json') || name === 'journal.json')).toEqual([]);
}

describe.each(edgeBuilds())('on $name', (build) => {
  test('it is loaded while it is decoded, and nobody has to ask for that', async () => {
    const one = await prepare(20_000, build);
    const seen: string[] = [];
    const { report, entries } = await restore(one, {
      async onStep(step) {
        // Nobody has asked for the proof yet: the scratch server has come by itself, and goes when it is done.
        if (step === 'verify') while (foldersIn(one.scratch).length > 0) await delay(2);
      },
      onProgress: ({ phase }) => void (seen.at(-1) === phase || seen.push(phase)),
    });
    expect(report).toMatchObject({ outcome: 'restored', proven: 'loaded in a scratch server' });
    expect(entries.filter(({ message }) => message.includes('could not load'))).toEqual([]);
    // It was shown as work of its own only as far as something was left of it.
    expect(seen.slice(0, 5)).toEqual(['stage', 'checking', 'fetching', 'verify', 'proving']);
    await one.server.reconnect();
    expect(await digest(one.server)).toBe(one.backedUp);
  });
});

test('the scratch server is killed: the decoding goes on, and that is what is said', async () => {
  const one = await prepare(200_000);
  const pids = await one.server.pids();
  const steps: string[] = [];
  let killing: Promise<void> | undefined;
  const restoring = restore(one, {
    onStep(step) {
      steps.push(step);
      if (step === 'stage')
        killing = untilLoading(one.scratch).then((pid) => void process.kill(pid, 'SIGKILL'));
    },
  });
  await expect(restoring).rejects.toMatchObject({
    code: 'failed',
    reason: 'killed',
    message: 'the scratch server was killed while it was loading',
  });
  await killing;
  expect(steps).toEqual(['stage', 'verify']);
  await expectUntouched(one, pids);
});

test('a scratch server that breaks off: the file is loaded then', async () => {
  const one = await prepare(200_000);
  let ending: Promise<void> | undefined;
  const { report, entries } = await restore(one, {
    onStep(step) {
      if (step === 'stage')
        ending = untilLoading(one.scratch).then((pid) => void process.kill(pid, 'SIGABRT'));
    },
  });
  await ending;
  expect(report).toMatchObject({ outcome: 'restored', proven: 'loaded in a scratch server' });
  expect(entries.map(({ message }) => message)).toContain(
    'could not load the dump while decoding it: loads the file',
  );
  await one.server.reconnect();
  expect(await digest(one.server)).toBe(one.backedUp);
});

test('other bytes than were backed up, which a server would load: damaged, and nothing is touched', async () => {
  const one = await prepare(1000);
  const pids = await one.server.pids();
  editManifest(one.config, one.id, (manifest) => {
    manifest.artefacts[0].plain.sha256 = 'ab'.repeat(32);
  });
  await expect(restore(one, {})).rejects.toMatchObject({
    code: 'damaged',
    message: expect.stringMatching(new RegExp(`^backup ${one.id}: .*their SHA-256 is another`)),
  });
  await expectUntouched(one, pids);
});

test.each(['fetching', 'proving'])('cancelled while it is %s: nothing runs on', async (when) => {
  const one = await prepare(200_000);
  const pids = await one.server.pids();
  const controller = new AbortController();
  const why = new Error('ctrl-c');
  const restoring = restore(one, {
    signal: controller.signal,
    onProgress({ phase }) {
      if (phase === when) controller.abort(why);
    },
  });
  await expect(restoring).rejects.toBe(why);
  await expectUntouched(one, pids);
});

test('what fails between decoding and proving ends the load, which would not end by itself', async () => {
  const one = await prepare(200_000);
  const pids = await one.server.pids();
  const why = new Error('no room for the journal');
  let stopped: Promise<number> | undefined;
  const restoring = restore(one, {
    async onStep(step) {
      stopped ??= untilLoading(one.scratch).then((pid) => {
        process.kill(pid, 'SIGSTOP');
        return pid;
      });
      if (step !== 'verify') return;
      await stopped;
      throw why;
    },
  });
  await expect(restoring).rejects.toBe(why);
  const scratch = (await stopped) ?? 0;
  while (!isGone(scratch) || foldersIn(one.scratch).length > 0) await delay(2);
  await expectUntouched(one, pids);
});

test('the agent is killed while it is loaded: nothing runs on, and the next restore does it all', async () => {
  const one = await prepare(200_000);
  const agent = spawnAgent(['restore', '--yes', '--method', 'files'], one);
  const pid = await untilLoading(one.scratch);
  agent.kill('SIGKILL');
  await agent.ended;
  while (!isGone(pid)) await delay(2);
  const { code, json } = await runAgent(['--json', 'restore', '--yes', '--method', 'files'], one);
  expect({ code, ...json.error }).toEqual({ code: 0 });
  expect(json).toMatchObject({ outcome: 'restored', interrupted: expect.stringMatching(/rolled back now$/) });
  expect(foldersIn(one.scratch)).toEqual([]);
  await one.server.reconnect();
  expect(await digest(one.server)).toBe(one.backedUp);
});
