import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { childFlags } from '../house/child-script.ts';
import { onceARun } from '../house/once-a-run.ts';

const scripts = join(import.meta.dirname, '../../../scripts');

/** The agent from its sources, as a checkout has it. */
export const agentFromSources = [join(scripts, 'redis-agent')];

/**
 * The agent as a program of its own: the bundle that packages ship, built once a run, which starts in a third of the time
 * that the sources take.
 */
export function agentProgram(): string[] {
  const folder = onceARun('agent', (own) => {
    execFileSync(join(scripts, 'build'), [own], { stdio: ['ignore', 'ignore', 'inherit'] });
    // Tests start it as nobody, too.
    chmodSync(own, 0o755);
  });
  return folder === undefined
    ? agentFromSources
    : [process.execPath, ...childFlags, join(folder, 'main.mjs')];
}
