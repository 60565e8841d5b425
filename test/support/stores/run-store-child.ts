import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { StoreChild } from './store-child.ts';
import { childFlags, childScript } from '../house/child-script.ts';

export interface ChildResult {
  bytes?: number;
  reason?: string;
  message?: string;
  hint?: string;
  defect?: string;
}

const script = childScript('stores/store-child');

/**
 * Runs store-child.ts. `killAfter`: SIGKILL once that many bytes were taken by `put` (then there is no result).
 * `limits`: sh commands to run first, such as `ulimit -f 8`.
 */
export async function runStoreChild(
  task: StoreChild,
  options: { killAfter?: number; limits?: string } = {},
): Promise<ChildResult | undefined> {
  const argv = [process.execPath, ...childFlags, script];
  const child = spawn('sh', ['-c', `${options.limits ?? ':'}; exec "$@"`, 'sh', ...argv], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  child.stdin.end(JSON.stringify(task));
  let result: ChildResult | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by store-child.ts
    const said = JSON.parse(line) as { written?: number; result?: ChildResult };
    if (said.result !== undefined) result = said.result;
    if (options.killAfter !== undefined && (said.written ?? 0) >= options.killAfter) child.kill('SIGKILL');
  }
  await ended;
  return result;
}
