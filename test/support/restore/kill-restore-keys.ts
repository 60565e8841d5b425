import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { CuttingProxy } from '../servers/cutting-proxy.ts';
import type { RestoreKeysTask } from './restore-keys-child.ts';
import { childFlags, childScript } from '../house/child-script.ts';

/**
 * Starts a restore of keys through `proxy` and ends it by SIGKILL when it has sent that many bytes and waits for an answer
 * that never comes. Everything before those bytes has reached the server. False when it was done before.
 */
export async function killRestoreKeys(
  task: RestoreKeysTask,
  proxy: CuttingProxy,
  bytes: number,
): Promise<boolean> {
  const before = proxy.passed;
  proxy.stallAfter(before + bytes);
  const script = childScript('restore/restore-keys-child');
  const child = spawn(process.execPath, [...childFlags, script], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdin.end(JSON.stringify({ ...task, url: proxy.url }));
  const ended = once(child, 'exit');
  while (proxy.passed < before + bytes && child.exitCode === null) await delay(2);
  const killed = child.kill('SIGKILL');
  await ended;
  proxy.stallAfter(Infinity);
  if (child.exitCode !== null && child.exitCode !== 0) throw new Error(`the child failed: ${errors}`);
  return killed && child.signalCode === 'SIGKILL';
}
