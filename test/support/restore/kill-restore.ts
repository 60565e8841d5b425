import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RestoreChild } from './restore-child.ts';
import { childFlags, childScript } from '../house/child-script.ts';

export interface ChildRun {
  /** Every step that it came to, in order. */
  steps: string[];
  /** Undefined when it was killed. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a report, or why it failed
  result: any;
  signal: NodeJS.Signals | null;
}

/** Runs a restore in a process of its own, which SIGKILL ends at the step `killAt`. */
export async function runRestoreChild(task: RestoreChild): Promise<ChildRun> {
  return await runChild(childScript('restore/restore-child'), task);
}

/** Runs a script that reads a task from stdin and tells its steps and a result. */
export async function runChild(script: string, task: object): Promise<ChildRun> {
  const child = spawn(process.execPath, [...childFlags, script], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdin.end(JSON.stringify(task));
  // Not 'close': the server that it starts may hold its pipes.
  const [code, signal]: (number | NodeJS.Signals | null)[] = await once(child, 'exit');
  // What was written before the end may still be on its way.
  await new Promise((resolve) => setImmediate(resolve));
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`the child failed: ${errors}${output}`);
  const lines: { step?: string; result?: unknown }[] = output
    .split('\n')
    .filter(Boolean)
    .map((line): { step?: string; result?: unknown } => JSON.parse(line));
  return {
    steps: lines.flatMap(({ step }) => step ?? []),
    result: lines.find((line) => 'result' in line)?.result,
    signal: signal === 'SIGKILL' ? 'SIGKILL' : null,
  };
}
