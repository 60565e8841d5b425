import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { beginRun } from '../../support/house/global-setup.ts';
import { startServer } from '../../support/servers/redis-server.ts';

test('a run that leaves nothing passes', async () => {
  const finish = beginRun();
  const server = await startServer();
  await server.stop();
  await finish();
});

test('a run fails with the name of every process and file that it leaves, and clears them', async () => {
  const finish = beginRun();
  const folder = mkdtempSync(join(tmpdir(), 'forgotten-'));
  const child = spawn('sleep', ['1234'], { stdio: 'ignore' });
  const gone = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
  await expect(finish()).rejects.toThrow(/process \d+ \(sleep 1234\), forgotten-/);
  expect(await gone).toBe('SIGKILL');
  expect(existsSync(folder)).toBe(false);
});
