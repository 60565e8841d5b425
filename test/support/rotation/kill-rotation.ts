import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { childFlags, childScript } from '../house/child-script.ts';
import type { RotateChild } from './rotate-child.ts';

/** Runs a rotation in a process of its own; resolves when SIGKILL has ended it at the step, and rejects when it got past. */
export async function killRotation(task: RotateChild): Promise<void> {
  const script = childScript('rotation/rotate-child');
  const child = spawn(process.execPath, [...childFlags, script], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (said: string) => (errors += said));
  child.stdin.end(JSON.stringify(task));
  const [code, signal]: (number | NodeJS.Signals | null)[] = await once(child, 'close');
  if (signal !== 'SIGKILL')
    throw new Error(`it was not killed at ${task.killAt}, and ended with ${code}: ${errors}`);
}
